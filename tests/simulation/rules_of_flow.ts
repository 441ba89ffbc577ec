import type { DispatchEvent, Gap } from "../../mod.ts";
import { channelsOf } from "../../protocol/mod.ts";
import { callName, type Reading } from "./actor.ts";
import { keyOf, type Published } from "./model.ts";
import { hasOnlyCalls } from "./program.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

/** Rule 4: a subscription yields no events of other channels. */
function* channelsAreApart({ actors }: Evidence): Iterable<string> {
  for (const { subscriptions } of actors) {
    for (const { outcome, items, name: channel } of subscriptions) {
      const other = items.find((item) => isEvent(item) && !channelsOf(item).includes(channel));
      if (other) yield `4: ${callName(outcome)} to '${channel}' yielded ${JSON.stringify(other)}`;
    }
  }
}

/** How many events a node sends before it needs a grant. */
const INITIAL_CREDITS = 1_000;

/** Rule 4: no gap tells of missing credits where a node cannot have been without. */
function* creditsRanOut({ program, model, actors }: Evidence): Iterable<string> {
  for (const { name: client, isHttp, statuses, hasSlept } of actors) {
    const hasGap = statuses.some(({ status }) =>
      status.type === "gap" && status.reason === "credits"
    );
    if (isHttp || hasSlept || !hasGap || model.miscounts(client)) continue;
    const least = Math.min(...leastCredits(client, program.latency[1], model));
    if (least > 0) {
      yield `4: ${client} was told of missing credits, but never had less than ${least}`;
    }
  }
}

/** The least credits of each connection of a client, if each grant comes as late as it can. */
function leastCredits(client: string, latency: number, model: Evidence["model"]): number[] {
  const connections = new Map<string, { left: number; least: number; due: [number, number][] }>();
  for (const { at, who, what, frame } of model.world.trace) {
    if (!who.startsWith(`${client}#`) || !frame) continue;
    let it = connections.get(who);
    if (!it) connections.set(who, it = { left: INITIAL_CREDITS, least: INITIAL_CREDITS, due: [] });
    while (it.due[0] && it.due[0][0] <= at) it.left += it.due.shift()![1];
    if (what.startsWith("receives") && frame.includes('"type":"event"')) it.left--;
    const credits = what.startsWith("sends") && /"credits":(\d+)/.exec(frame)?.[1];
    // A frame behind a delayed one is late, too; a fault lasts up to two seconds.
    const late = latency + (model.harmed.has(who) ? 2_100 : 0);
    if (credits) it.due.push([at + late + 1, Number(credits)]);
    it.least = Math.min(it.least, it.left);
  }
  return [...connections.values()].map(({ least }) => least);
}

/** How many enqueues may lack their events, so that those do not overflow a buffer. */
const AHEAD = 24;

/** After so many milliseconds without one, no more events of enqueues are expected. */
const IDLE_TIME = 250;

/** Matches a request about a channel that the events of enqueues come on. */
const CHANNEL = /"method":"((?:un)?subscribe)".*"channel":"(jobs|firehose)"/;

/** After so many milliseconds a new connection has sent the calls that waited for it. */
const AFTER_QUEUE = 1_000;

/** Rule 4: a client that is subscribed to all jobs enqueues no faster than their events arrive. */
function* enqueuesAreThrottled({ program, model, actors, world }: Evidence): Iterable<string> {
  // Otherwise nobody knows which events have arrived.
  if (program.latency[1] !== 1) return;
  for (const { name: client, isHttp, hasSlept } of actors) {
    if (isHttp || hasSlept) continue;
    for (const connection of world.connections) {
      if (connection.client !== client || model.harmed.has(connection.name)) continue;
      const channels = new Set<string>();
      let sentAt = -1;
      let unseen = 0;
      for (const { at, who, what, frame } of model.world.trace) {
        if (who !== connection.name || !frame) continue;
        const isEnqueue = what.startsWith("sends") && frame.includes('"method":"job.enqueue"');
        const isEvent = what.startsWith("receives") && frame.includes('"type":"job.enqueued"');
        const [, method, channel] = CHANNEL.exec(frame) ?? [];
        if (method === "subscribe") channels.add(channel!);
        else if (method) channels.delete(channel!);
        if (!isEnqueue && !isEvent) continue;
        // An event of somebody else's job lets a call go on, too.
        if (isEvent && unseen === 0) break;
        // Without events for so long, no more of them are expected.
        if (isEvent) unseen--;
        else {
          if (at - sentAt >= IDLE_TIME || at < connection.openedAt + AFTER_QUEUE) unseen = 0;
          sentAt = at;
        }
        if (!isEnqueue || channels.size === 0 || ++unseen <= AHEAD) continue;
        yield `4: ${client} enqueued ${unseen} jobs ahead at ${at}, although it is subscribed`;
        break;
      }
    }
  }
}

/** Rule 4: enqueues that wait for their turn go on as soon as the events of earlier ones arrive. */
function* enqueuesGoOn({ program, model, actors }: Evidence): Iterable<string> {
  if (program.latency[1] !== 1 || !hasOnlyCalls(program) || model.harmed.size > 0) return;
  for (const { outcomes, isHttp, subscriptions } of actors) {
    // Whoever has left gets no more events.
    if (isHttp || subscriptions.some(({ isLeft, ended }) => isLeft || ended)) continue;
    for (const outcome of outcomes) {
      const { op, begin, end, error, isSettled } = outcome;
      if (op.do !== "enqueueMany" || op.count <= 2 * AHEAD || op.window < AHEAD) continue;
      // Otherwise they would wait twice, until no more events are expected.
      if (!isSettled || error || end - begin < 2 * IDLE_TIME) continue;
      yield `4: ${callName(outcome)} of ${op.count} jobs took ${end - begin} ms`;
    }
  }
}

/** Events that were published this many milliseconds before have arrived. */
const IN_FLIGHT = 3_000;

/** Rule 4: what a buffer holds when a client is drained stays readable. */
function* drainsKeepEvents({ program, world, model, actors }: Evidence): Iterable<string> {
  /** After so many milliseconds an event has arrived, if nothing happens to the connection. */
  const late = 100 + 2 * program.latency[1];
  for (const actor of actors) {
    const { name: client, isHttp, outcomes, subscriptions, statuses, hasSlept } = actor;
    const closings = outcomes.filter(({ op }) => op.do === "close");
    const [first] = closings;
    if (isHttp || hasSlept || first?.op.do !== "close" || !first.op.drain) continue;
    if (closings.some(({ op }) => op.do === "close" && !op.drain)) continue;
    const own = world.connections.filter((it) => it.client === client);
    if (own.some((it) => model.harmed.has(it.name)) || model.miscounts(client)) continue;
    if (statuses.some(({ status }) => status.type === "gap")) continue;
    const control = controlSessions(actor);
    for (const reading of subscriptions) {
      const { buffer, take } = reading.outcome.op as { buffer?: number; take?: number };
      const wasLeft = take || outcomes.some(({ op }) => op.do === "unsubscribe");
      if (buffer || wasLeft || reading.outcome.signal || !reading.ended) continue;
      const yielded = new Set(reading.items.filter(isEvent).map(keyOf));
      const missed = model.published.find((it) =>
        it.order >= reading.from && it.at < first.worldBegin - late &&
        reached(it, control, reading) && !yielded.has(keyOf(it.event))
      );
      if (missed) yield `4: ${callName(reading.outcome)} lost ${keyOf(missed.event)} by a drain`;
    }
  }
}

function reached(
  { sessions, event }: Published,
  control: ReadonlySet<string>,
  reading: Reading,
): boolean {
  return channelsOf(event).includes(reading.name) &&
    [...sessions].some(([session, channels]) =>
      control.has(session.id) && channels.includes(reading.channel)
    );
}

/** Rule 4: who missed events because a buffer of the server was full is told so. */
function* overrunsAreTold({ world, model, actors }: Evidence): Iterable<string> {
  if (model.stalls.length === 0) return;
  for (const { name: client, isHttp, subscriptions, statuses } of actors) {
    if (isHttp || model.miscounts(client)) continue;
    const control = new Set(
      statuses.flatMap(({ status }) => status.type === "connected" ? status.sessionId : []),
    );
    for (const reading of subscriptions) {
      const { items, outcome, isLeft, isBusy, ended } = reading;
      if (isLeft || isBusy || ended || items.some((item) => !isEvent(item))) continue;
      const yielded = new Set(items.filter(isEvent).map(keyOf));
      const missed = model.published.find((it) =>
        it.order >= reading.from && it.at < world.now - IN_FLIGHT &&
        channelsOf(it.event).includes(reading.name) && !model.lost.has(keyOf(it.event)) &&
        [...it.sessions].some(([session, channels]) =>
          control.has(session.id) && channels.includes(reading.channel) &&
          model.isStalled(session, it.at)
        ) && !yielded.has(keyOf(it.event))
      );
      if (missed) {
        yield `4: ${callName(outcome)} misses ${keyOf(missed.event)} and was told of nothing`;
      }
    }
  }
}

/** Rules about the flow of events: channels, credits, buffers and the rate of enqueues. */
export const FLOW_RULES: readonly Rule[] = [
  channelsAreApart,
  creditsRanOut,
  enqueuesAreThrottled,
  enqueuesGoOn,
  drainsKeepEvents,
  overrunsAreTold,
];
