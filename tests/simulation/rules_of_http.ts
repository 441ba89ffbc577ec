import { AuthError, type DispatchEvent, type Gap } from "../../mod.ts";
import { callName, isTokenMissing, type Reading } from "./actor.ts";
import { hasConnectionOf, keyOf } from "./model.ts";
import { channelsOf } from "../../protocol/mod.ts";
import type { Evidence, Rule } from "./rules.ts";

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

/** Events that were published this many milliseconds ago have arrived. */
const IN_FLIGHT = 3_000;

/** Rule 4: what a subscription over HTTP misses lies in a gap. */
function* streamsAreTold({ program, actors, model, world }: Evidence): Iterable<string> {
  // Each node publishes its own events, and nobody sees which node has a stream.
  if (program.nodes !== 1) return;
  for (const [index, { name: client, plan, subscriptions, hasSlept }] of actors.entries()) {
    if (plan.transport !== "sse") continue;
    // What is delayed several times arrives long after its time.
    const isDelayed = hasConnectionOf(model.delayed, client);
    const isShifted = hasSlept || isDelayed ||
      program.steps.some((step) => "setClock" in step && step.client % actors.length === index);
    const isHarmed = hasConnectionOf(model.harmed, client);
    for (const reading of subscriptions) {
      const { outcome, items, ended, isLeft, isBusy } = reading;
      if (!outcome.isSettled || outcome.error) continue;
      const read = positionsOf(reading, model);
      const endsWithGap = items.length > 0 && !isEvent(items.at(-1)!);
      const isOver = ended || isLeft || isBusy || isHarmed;
      for (const { order, event, at } of model.published) {
        if (!channelsOf(event).includes(reading.name) || at <= outcome.worldEnd) continue;
        const next = read.find((it) => it.order >= order);
        if (next?.isAfterGap && next.order !== order && !isNamed(reading, event) && !isShifted) {
          yield `4: ${callName(outcome)} misses ${keyOf(event)}, but no gap names its time`;
          break;
        }
        if (next ? next.order === order || next.isAfterGap : isOver) continue;
        if (!next && (endsWithGap || at >= world.now - IN_FLIGHT)) continue;
        yield `4: ${callName(outcome)} to '${reading.name}' misses ${keyOf(event)} without a gap`;
        break;
      }
    }
  }
}

/** Whether a gap names the time of an event. */
function isNamed({ items }: Reading, { ts }: DispatchEvent): boolean {
  const at = Date.parse(ts);
  return items.some((item) =>
    !isEvent(item) && Date.parse(item.since) - LATE <= at && at <= Date.parse(item.until) + 1
  );
}

/** Returns the positions of the events that a reader got, and whether a gap came before each. */
function positionsOf(
  { items }: Reading,
  model: Evidence["model"],
): { order: number; isAfterGap: boolean }[] {
  const positions: { order: number; isAfterGap: boolean }[] = [];
  let isAfterGap = false;
  for (const item of items) {
    if (isEvent(item)) {
      const order = model.byKey.get(keyOf(item))?.[0]?.order;
      if (order !== undefined) positions.push({ order, isAfterGap });
      isAfterGap = false;
    } else isAfterGap = true;
  }
  return positions;
}

/** How many tokens each client has that gets another one. */
const TOKENS = 10;

/** Matches the token that a request over HTTP has. */
const TOKEN = /"token":"(.*?)"|[?&]token=([^&]*)/;

/** Returns the token of a request over HTTP. */
function tokenIn(request: string): string | undefined {
  const [, inBody, inAddress] = TOKEN.exec(request) ?? [];
  return inBody ?? inAddress;
}

/** Returns when a client has first used each token over HTTP. */
function firstUsesOf(client: string, model: Evidence["model"]): Map<string, number> {
  const uses = new Map<string, number>();
  for (const { at, who, what, frame } of model.world.trace) {
    if (!who.startsWith(`${client}#`) || !frame || !what.startsWith("requests")) continue;
    const token = tokenIn(frame);
    if (token !== undefined && !uses.has(token)) uses.set(token, at);
  }
  return uses;
}

/** The codes of calls that ended without the answer to their request. */
const GIVEN_UP = ["timeout", "closed"];

/** Rule 6: over HTTP, too, a client does not use a token again that was refused. */
function* refusedTokensAreDropped({ actors, model, program }: Evidence): Iterable<string> {
  const expirations = program.steps.filter((step) => "expire" in step).length;
  for (const { name: client, plan, isHttp, outcomes } of actors) {
    if (!isHttp || !plan.hasFreshTokens || expirations === 0) continue;
    const firstUses = [...firstUsesOf(client, model).values()];
    // Then the function for the token begins again with the first one.
    if (firstUses.length >= TOKENS) continue;
    for (const outcome of outcomes) {
      // A refusal that arrives torn is none.
      if (!(outcome.error instanceof AuthError) || expirations >= TOKENS - 1) continue;
      if (isTokenMissing(outcome.error)) continue;
      // A new token that is refused counts as wrong.
      const isNew = firstUses.some((at) => at >= outcome.worldBegin && at <= outcome.worldEnd);
      if (isNew) continue;
      yield `6: ${callName(outcome)} was refused although ${client} can get another token`;
    }
    // Who has given a request up does not hear that its token was refused.
    if (outcomes.some(({ signal, error }) => signal || GIVEN_UP.includes(Object(error).code))) {
      continue;
    }
    const tokens = new Map<string, string>();
    const refused = new Map<string, number>();
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`) || frame === undefined) continue;
      if (what.startsWith("requests")) {
        const token = tokenIn(frame);
        if (token === undefined) continue;
        tokens.set(who, token);
        const late = LATE + program.latency[1];
        if (at <= (refused.get(token) ?? Infinity) + late) continue;
        yield `6: ${client} uses the token ${token} again at ${at}`;
        break;
      }
      const isRefusal = what === "answers" && frame.includes('"code":401');
      const token = tokens.get(who);
      if (isRefusal && token !== undefined && !refused.has(token)) refused.set(token, at);
    }
  }
}

/** Rule 6: over HTTP a client keeps a token that was accepted until one is refused. */
function* acceptedTokensAreKept({ actors, model, program }: Evidence): Iterable<string> {
  const late = LATE + program.latency[1];
  for (const { name: client, plan, isHttp } of actors) {
    if (!isHttp || !plan.hasFreshTokens) continue;
    /** When each request was sent, and with which token. */
    const sent = new Map<string, { at: number; token: string }>();
    const known = new Set<string>();
    let [acceptedAt, refusedAt] = [Infinity, -Infinity];
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`) || frame === undefined) continue;
      if (what.startsWith("requests")) {
        const token = tokenIn(frame);
        if (token === undefined) continue;
        sent.set(who, { at, token });
        if (!known.has(token) && acceptedAt + late < at) {
          yield `6: ${client} uses another token at ${at}, although its last one was accepted`;
          break;
        }
        known.add(token);
      } else if (what.startsWith("answers") && frame.includes('"code":401')) {
        [acceptedAt, refusedAt] = [Infinity, at];
      } else if (what === "answers" && (sent.get(who)?.at ?? -Infinity) > refusedAt + late) {
        acceptedAt = Math.min(acceptedAt, at);
      }
    }
  }
}

/** After how many milliseconds a refusal has arrived, if a fault delays it. */
const LATE = 2_100;

/** After this many milliseconds a connection has held, and delays begin anew. */
const HOLD_TIME = 5_000;

/** The longest delay before the first attempt. */
const FIRST_DELAY = 1_000;

/** Matches the request for a stream, and its channel. */
export const STREAM = /^\/dwp\/sse\?channel=(.*?)&/;

/** Rule 6: a stream over HTTP that held is soon opened again when it has broken. */
function* streamsComeBack({ program, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, plan, subscriptions, watches, outcomes, hasSlept } of actors) {
    const isFollowing = watches.length > 0 || outcomes.some(({ target }) => target);
    if (plan.transport !== "sse" || hasSlept || isFollowing) continue;
    const streams = new Map<string, { at: number; channel: string }>();
    /** When the stream of a channel broke, until it is asked for again. */
    const broken = new Map<string, number>();
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`) || frame === undefined) continue;
      const isRequest = what.startsWith("requests");
      const opened = isRequest && STREAM.exec(frame)?.[1];
      if (opened) streams.set(who, { at, channel: decodeURIComponent(opened) });
      const stream = streams.get(who);
      const hasHeld = stream && at - stream.at >= HOLD_TIME + FIRST_DELAY;
      // The end of a stream does not overtake what was delayed before it.
      if (what === "streams, but cut" && hasHeld && !model.delayed.has(who)) {
        broken.set(stream.channel, at);
      }
      if (!isRequest || !frame.includes('"method":"subscribe"')) continue;
      for (const [channel, brokenAt] of broken) {
        if (!frame.includes(`"channel":"${channel}"`)) continue;
        broken.delete(channel);
        const late = at - brokenAt;
        const isShared = subscriptions.filter((it) => it.channel === channel).length !== 1;
        if (isShared || late <= FIRST_DELAY + program.latency[1] + 1) continue;
        yield `6: ${client} opens the stream of ${channel} again after ${late} ms`;
      }
    }
  }
}

/** Rule 7: a stream over HTTP ends at the node when the last reader has left it. */
function* streamsAreLeft({ program, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, plan, subscriptions, watches, outcomes } of actors) {
    // A channel that a watch or wait needs, too, has a stream of its own for each.
    const isFollowing = watches.length > 0 || outcomes.some(({ target }) => target);
    if (plan.transport !== "sse" || isFollowing) continue;
    const streams = new Map<string, string>();
    const last = new Map<string, number>();
    for (const { at, who, what, frame } of model.world.trace) {
      if (!who.startsWith(`${client}#`) || frame === undefined) continue;
      const opened = what.startsWith("requests") && STREAM.exec(frame)?.[1];
      if (opened) streams.set(who, decodeURIComponent(opened));
      const channel = what.startsWith("streams") && streams.get(who);
      if (channel) last.set(channel, at);
    }
    for (const [channel, at] of last) {
      const readers = subscriptions.filter((it) => it.channel === channel);
      const until = Math.max(...readers.map(({ endedAt = Infinity }) => endedAt));
      if (at <= until + LATE + 2 * program.latency[1]) continue;
      yield `7: ${client} still reads ${channel} at ${at}, which it has left at ${until}`;
    }
  }
}

const METHODS: Readonly<Record<string, string>> = {
  getJob: "job.get",
  getRun: "workflow.get",
  timeline: "workflow.timeline",
};

/** Rule 1: over HTTP a read without an answer is tried again, as often and as late as documented. */
function* readsAreTriedAgain({ model, actors, program }: Evidence): Iterable<string> {
  for (const { name: client, isHttp, outcomes, watches, plan, randoms } of actors) {
    if (!isHttp || plan.wrongTokens) continue;
    // With another token a read is sent once more.
    const mayRenew = plan.hasFreshTokens && program.steps.some((step) => "expire" in step);
    const most = mayRenew ? Infinity : (plan.httpRetries ?? 3) + 1;
    for (const outcome of outcomes) {
      const { op, error, isSettled, worldBegin, worldEnd } = outcome;
      const isOperator = plan.transport === "admin";
      const asked = isOperator && op.do === "stats" ? "stats" : outcome.asked;
      const method = METHODS[op.do];
      if (!isSettled || (asked !== "stats" && !method)) continue;
      const isAlone = !outcomes.some((it) =>
        it !== outcome && it.worldBegin <= worldEnd && !(it.worldEnd < worldBegin) &&
        (it.asked === asked || it.target === asked || it.op.do === asked)
      );
      // A watch reads as often as it needs to.
      if (!isAlone || watches.some((it) => it.name === asked)) continue;
      const tries = model.world.trace.filter(({ at, who, what, frame }) =>
        at >= worldBegin && at <= worldEnd && who.startsWith(`${client}#`) &&
        what.startsWith("requests") &&
        (isOperator
          ? frame!.endsWith(`/${asked}`)
          : frame!.includes(`"method":"${method}"`) && frame!.includes(asked!))
      );
      const hasFailed = Object(error).code === "connect_failed";
      const least = hasFailed ? (plan.httpRetries ?? 3) + 1 : 0;
      if (tries.length < least || tries.length > most) {
        const how = hasFailed ? "failed" : "settled";
        yield `1: ${callName(outcome)} of ${asked} ${how} after ${tries.length} tries`;
      }
      for (const [index, { at, frame }] of tries.entries()) {
        const next = tries[index + 1];
        const bound = Math.min(45_000, 1_000 * 2 ** index);
        // With another token it is sent at once.
        if (!next || tokenIn(next.frame!) !== tokenIn(frame!)) continue;
        if (randoms.some((random) => Math.floor(random * bound) <= next.at - at)) continue;
        yield `1: ${callName(outcome)} of ${asked} was tried again after ${next.at - at} ms`;
      }
    }
  }
}

/** The errors with which a stream may end although no fault has affected its client. */
const ENDS: readonly unknown[] = ["closed", "overflow"];

/** Rule 4: over HTTP a stream of events fails only if something went wrong, or the server refused it. */
function* streamsFailForAReason({ program, model, actors }: Evidence): Iterable<string> {
  const hasOutage = program.steps.some((step) =>
    "restart" in step || "wipe" in step || "expire" in step
  );
  if (hasOutage && !program.isCalm) return;
  for (const { name: client, plan, subscriptions, watches, hasSlept } of actors) {
    if (plan.transport !== "sse" || hasSlept) continue;
    if (hasConnectionOf(model.harmed, client)) continue;
    for (const { outcome, ended } of [...subscriptions, ...watches]) {
      const { code } = Object(ended?.error);
      if (!ended?.error || outcome.signal || ENDS.includes(code) || code >= 400) continue;
      yield `4: ${callName(outcome)} failed with ${code} for no reason`;
    }
  }
}

/** Rules about clients over HTTP. */
export const HTTP_RULES: readonly Rule[] = [
  streamsAreTold,
  refusedTokensAreDropped,
  acceptedTokensAreKept,
  streamsComeBack,
  streamsAreLeft,
  readsAreTriedAgain,
  streamsFailForAReason,
];
