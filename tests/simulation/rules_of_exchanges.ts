import { callName, type Reading, WRONG_TOKEN } from "./actor.ts";
import { hasConnectionOf } from "./model.ts";
import { hasOnlyCalls } from "./program.ts";
import type { Evidence, Rule } from "./rules.ts";
import { STREAM } from "./rules_of_http.ts";

const codeOf = ({ error }: { error?: unknown }): unknown => Object(error).code;

/** Rule 6: over HTTP a new token that is refused is not replaced; the call that got it fails. */
function* newTokensFail({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, plan, isHttp, outcomes, subscriptions, watches } of actors) {
    if (!isHttp || !plan.wrongTokens || hasConnectionOf(model.harmed, client)) continue;
    const wrong = new Set<string>();
    const isRefused = model.world.trace.some(({ who, what, frame }) => {
      if (!frame || !who.startsWith(`${client}#`)) return false;
      if (what === "requests" && frame.includes(`"token":"${WRONG_TOKEN}"`)) wrong.add(who);
      return what === "answers" && wrong.has(who) && frame.includes('"code":401');
    });
    const ends = [...outcomes, ...[...subscriptions, ...watches].map(({ ended }) => ended ?? {})];
    // Nobody hears of the end of a call that was given up.
    const isHeard = ends.some((it) => codeOf(it) === 401 || codeOf(it) === "timeout") ||
      outcomes.some(({ signal, isAfterClose }) => signal || isAfterClose);
    if (isRefused && !isHeard) yield `6: ${client} replaced a new token that was refused`;
  }
}

/** Rule 1: over HTTP a subscription resolves only if its stream is open. */
function* refusedStreamsAreTold({ actors }: Evidence): Iterable<string> {
  for (const { plan, subscriptions } of actors) {
    if (plan.transport !== "sse") continue;
    for (const { outcome, ended, endedAt, items } of subscriptions) {
      const { isSettled, error, worldEnd, signal } = outcome;
      if (!isSettled || error || signal || items.length > 0 || endedAt !== worldEnd) continue;
      if (!ended?.error || codeOf(ended) === "closed") continue;
      yield `1: ${callName(outcome)} resolved as its stream failed with ${codeOf(ended)}`;
    }
  }
}

/** So many milliseconds after its first event a stream has taken over, if frames take no time. */
const OVERLAP = 200;

/** Rule 4: before a stream over HTTP is used up, the next one takes over, without a loss. */
function* streamsTakeOver(evidence: Evidence): Iterable<string> {
  const { program, actors, model } = evidence;
  if (!hasOnlyCalls(program)) return;
  for (const { name: client, plan, subscriptions, watches, outcomes } of actors) {
    if (plan.transport !== "sse" || hasConnectionOf(model.harmed, client)) continue;
    for (const { outcome, items } of subscriptions) {
      if (items.some((item) => item.type === "gap" && item.reason === "reconnect")) {
        yield `4: ${callName(outcome)} was told of a loss, but no stream was lost`;
      }
    }
    if (watches.length > 0 || outcomes.some(({ target }) => target)) continue;
    yield* oldStreamsEnd(client, subscriptions, evidence);
  }
}

/** The stream that was replaced ends. */
function* oldStreamsEnd(
  client: string,
  subscriptions: readonly Reading[],
  { model, program: { latency: [, slowest] } }: Evidence,
): Iterable<string> {
  const channels = new Map<string, string>();
  /** When each stream of a channel had its first event, the newest stream last. */
  const streams = new Map<string, Map<string, number>>();
  for (const { at, who, what, frame } of model.world.trace) {
    if (!frame || !who.startsWith(`${client}#`)) continue;
    const opened = what === "requests" && STREAM.exec(frame)?.[1];
    if (opened) channels.set(who, decodeURIComponent(opened));
    const channel = what === "streams" && frame.startsWith("event:") && channels.get(who);
    if (!channel || subscriptions.filter((it) => it.channel === channel).length !== 1) continue;
    const firsts = streams.get(channel) ?? new Map<string, number>();
    if (!firsts.has(who)) streams.set(channel, firsts.set(who, at));
    const [newest, since] = [...firsts].at(-1)!;
    if (newest === who || at <= since + OVERLAP + 4 * slowest) continue;
    yield `7: ${client} still reads ${channel} on ${who} at ${at}, which ${newest} has replaced`;
    return;
  }
}

/** Rule 7: after `close` no request over HTTP is under way. */
export function* exchangesEnd({ actors }: Evidence): Iterable<string> {
  for (const { name: client, exchanges } of actors) {
    if (exchanges.size > 0) yield `7: ${client} has ${exchanges.size} requests after close`;
  }
}

/** Matches a read of a job or run, and its id. */
const READ = /"method":"(?:job|workflow)\.(?:get|timeline)".*"(?:job|run)_id":"(\w+)"/;

/** Rule 7: nobody reads on what every reader has left. */
function* leftWatchesEnd({ actors, model, program }: Evidence): Iterable<string> {
  for (const { name: client, watches, outcomes } of actors) {
    for (const { outcome, name: id, isLeft, endedAt = Infinity } of watches) {
      const isAlone = watches.filter(({ name }) => name === id).length === 1 &&
        !outcomes.some((it) => (it.target ?? it.asked) === id && !(it.worldEnd < endedAt));
      if (!isLeft || !isAlone) continue;
      // Reads that were lost with their connection are sent again.
      if (hasConnectionOf(model.harmed, client)) continue;
      const late = model.world.trace.find(({ at, who, what, frame }) =>
        at > endedAt + 4 * program.latency[1] + 100 && who.startsWith(`${client}#`) &&
        /^(sends|requests)/.test(what) && READ.exec(frame ?? "")?.[1] === id
      );
      if (late) yield `7: ${callName(outcome)} was left at ${endedAt}, but reads at ${late.at}`;
    }
  }
}

/** Rules about how requests and streams over HTTP fail and end, and how reads end. */
export const EXCHANGE_RULES: readonly Rule[] = [
  newTokensFail,
  refusedStreamsAreTold,
  streamsTakeOver,
  leftWatchesEnd,
];
