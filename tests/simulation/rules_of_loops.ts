import type { DispatchEvent, Gap } from "../../mod.ts";
import { callName, type Reading } from "./actor.ts";
import { hasConnectionOf, keyOf, type ServerSession } from "./model.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

/** Rule 7: closing a client ends loops, and rejects none that had begun. */
function* loopsEndQuietly({ actors }: Evidence): Iterable<string> {
  for (const { subscriptions, watches, closedAt } of actors) {
    for (const { outcome, ended } of [...subscriptions, ...watches]) {
      if (Object(ended?.error).code !== "closed") continue;
      if (outcome.isAfterClose || outcome.begin >= closedAt) continue;
      yield `7: ${callName(outcome)} was rejected as its client was closed`;
    }
  }
}

/** The types of the last events. */
const LAST = ["job.completed", "job.dlq", "workflow.completed", "workflow.failed"];

/** Rule 7: no loop and no wait begins on a closed client, unless it only tells what is known already. */
function* nothingBeginsAfterClose({ actors, model }: Evidence): Iterable<string> {
  for (const { watches, outcomes } of actors) {
    for (const outcome of outcomes) {
      const { isAfterClose, target, signal, error } = outcome;
      if (!isAfterClose || !target || signal) continue;
      const { code, job, run } = Object(error);
      if (!error || code === "closed" || job || run) continue;
      yield `7: ${callName(outcome)} began after close and failed with ${code}`;
    }
    for (const { outcome, ended, items, isLeft, name: id } of watches) {
      if (!outcome.isAfterClose || outcome.signal || isLeft) continue;
      // A job that was cancelled has no last event.
      const isKnown = items.some(({ type }) => LAST.includes(type)) || model.cancelled.has(id);
      if (isKnown || Object(ended?.error).code === "closed") continue;
      yield `7: ${callName(outcome)} began after close and ${ended ? "ended" : "goes on"}`;
    }
  }
}

const nameOf = ({ type, data }: DispatchEvent) =>
  "step_name" in data ? `${type} ${data.step_name}` : type;

/** Rule 5: no watch is told of unseen events that has seen all that can be missing. */
function* unseenEventsAreMissing({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, watches } of actors) {
    // What is delayed may come just when the client has given it up.
    if (hasConnectionOf(model.delayed, client)) continue;
    for (const { outcome, items, name: id } of watches) {
      if (!items.some((item) => item.type === "gap" && item.reason === "unseen")) continue;
      if (!items.some(({ type }) => LAST.includes(type))) continue;
      const counts = new Map<string, number>();
      for (const item of items.filter(isEvent)) {
        counts.set(nameOf(item), (counts.get(nameOf(item)) ?? 0) + 1);
      }
      for (const { event } of model.published) {
        if (!event.topic.endsWith(`:${id}`)) continue;
        counts.set(nameOf(event), (counts.get(nameOf(event)) ?? 0) - 1);
      }
      // A run that has failed may have failed in a step or between two, which its record does not say.
      const mayMiss = id.startsWith("wfrun_") &&
        !items.some(({ type }) => type === "workflow.step_failed");
      if (!mayMiss && [...counts.values()].every((count) => count >= 0)) {
        yield `5: ${callName(outcome)} of ${id} was told of unseen events, but has seen all`;
      }
    }
  }
}

/** By how many milliseconds the time in a record may differ from that of an event. */
const MARGIN = 10;

/** Rule 5: a gap for earlier attempts of a job names the time of those that are missing. */
function* earlierAttemptsAreCovered({ program, actors, model }: Evidence): Iterable<string> {
  // What comes late, or from another node, is missing later, too, and the gap is not told again.
  if (program.nodes !== 1) return;
  for (const { name: client, watches } of actors) {
    if (hasConnectionOf(model.harmed, client)) continue;
    for (const { outcome, items, ended, isLeft, name: id } of watches) {
      const gaps = items.filter((item) => !isEvent(item)) as Gap[];
      // A client that is closed ends the loop before the job has ended.
      const isWhole = items.some(({ type }) => LAST.includes(type));
      const isOver = !ended || ended.error || isLeft || !isWhole || model.cancelled.has(id);
      if (isOver || !id.startsWith("job_") || gaps.length === 0) continue;
      if (gaps.some(({ reason }) => reason !== "unseen")) continue;
      const read = new Set(items.filter(isEvent).map(keyOf));
      for (const { event } of model.published) {
        if (event.topic !== `job:${id}` || event.type !== "job.retrying") continue;
        const at = Date.parse(event.ts);
        const isCovered = read.has(keyOf(event)) ||
          gaps.some(({ since, until }) =>
            Date.parse(since) - MARGIN <= at && at <= Date.parse(until) + MARGIN
          );
        if (!isCovered) yield `5: ${callName(outcome)} misses ${keyOf(event)}, outside of its gaps`;
      }
    }
  }
}

/** Rule 5: a gap for a failed step of a run stands where the step has failed. */
function* failedStepsHaveTheirPlace({ actors, model }: Evidence): Iterable<string> {
  for (const { outcome, items, ended, isLeft, name: id } of actors.flatMap((it) => it.watches)) {
    if (!ended || ended.error || isLeft || !id.startsWith("wfrun_")) continue;
    if (items.some((item) => !isEvent(item) && item.reason !== "unseen")) continue;
    const own = model.published.filter(({ event }) => event.topic === `workflow:${id}`);
    const orders = new Map(own.map(({ event, order }) => [nameOf(event), order]));
    const read = items.map((item) => isEvent(item) ? orders.get(nameOf(item)) ?? -1 : undefined);
    for (const { event, order } of own) {
      if (event.type !== "workflow.step_failed" || read.includes(order)) continue;
      if (model.lost.has(keyOf(event))) continue;
      const next = read.findIndex((it) => it !== undefined && it > order);
      if (next < 1 || read[next - 1] === undefined) continue;
      yield `5: ${callName(outcome)} of ${id} has no gap where it misses ${keyOf(event)}`;
    }
  }
}

/** Rule 5: whoever is told that a job is dead is told how it failed, which its record says. */
function* failuresAreExplained({ actors }: Evidence): Iterable<string> {
  for (const { outcome, items } of actors.flatMap(({ watches }) => watches)) {
    const types = items.map(({ type }) => type);
    if (types.includes("job.dlq") && !types.includes("job.failed")) {
      yield `5: ${callName(outcome)} was not told how its job failed`;
    }
  }
}

/** So many events may be in a server's buffer before it drops one. */
const BUFFER = 250;

/** Rule 4: no gap tells of dropped events while every event arrives, and no buffer is full. */
function* droppedEventsAreMissing({ actors, model, world }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const { name: client, statuses, isHttp } = actor;
    const isTold = statuses.some(({ status }) => status.type === "gap" && status.reason === "lost");
    if (isHttp || !isTold || model.lost.size > 0) continue;
    const control = controlSessions(actor);
    const own = world.connections.filter(({ sessionId }) => control.has(sessionId!));
    if (own.some((it) => model.harmed.has(it.name))) continue;
    const sessions = [...model.sessions.values()].filter(({ id }) => control.has(id));
    if (sessions.every((session) => arrives(session, model))) {
      yield `4: ${client} was told of dropped events, but got all`;
    }
  }
}

/** Whether all events of a session were sent to its client, and never many at a time. */
function arrives(session: ServerSession, model: Evidence["model"]): boolean {
  const times = [
    ...model.published.filter(({ sessions }) => sessions.has(session))
      .map(({ at }) => ({ at, change: 1 })),
    ...model.world.trace.filter(({ who, what, frame }) =>
      who === session.connection.name && what.startsWith("receives") &&
      frame!.includes('"type":"event"')
    ).map(({ at }) => ({ at, change: -1 })),
  ].toSorted((a, b) => a.at - b.at || b.change - a.change);
  let waiting = 0;
  let most = 0;
  for (const { change } of times) most = Math.max(most, waiting += change);
  return waiting === 0 && most < BUFFER;
}

/** Rule 4: a gap for dropped events begins after the event before it, and no later than the one after it. */
function* overflowsFollowEachOther({ program, actors }: Evidence): Iterable<string> {
  // Events of different nodes may arrive in another order.
  if (program.nodes !== 1) return;
  for (const [index, { subscriptions }] of actors.entries()) {
    const hasSetClock = program.steps.some((step) =>
      "setClock" in step && step.client % actors.length === index
    );
    if (hasSetClock) continue;
    for (const reading of subscriptions) {
      for (const gap of overflowsOf(reading)) {
        const at = reading.items.indexOf(gap);
        const since = Date.parse(gap.since);
        const before = reading.items.slice(0, at).findLast(isEvent);
        const after = reading.items.slice(at).find(isEvent);
        const isEarly = before && Date.parse(before.ts) > since;
        const isLate = after && Date.parse(after.ts) < since;
        if (!isEarly && !isLate) continue;
        yield `4: ${
          callName(reading.outcome)
        } was told of events that were dropped from ${gap.since} on, ${
          isEarly ? `after one of ${before.ts}` : `before one of ${after!.ts}`
        }`;
      }
    }
  }
}

function overflowsOf({ items }: Reading): Gap[] {
  return items.filter((item) => item.type === "gap" && item.reason === "overflow") as Gap[];
}

/** Rule 7: whoever has unsubscribed reads nothing more. */
function* leaversReadNoMore({ actors }: Evidence): Iterable<string> {
  for (
    const { outcome, items, times, leftAt = Infinity } of actors.flatMap((it) => it.subscriptions)
  ) {
    const index = times.findIndex((at) => at > leftAt);
    if (index >= 0) yield `7: ${callName(outcome)} yielded ${items[index]!.type} after its end`;
  }
}

/** Rules about loops over events: how they begin and end, and the gaps in them. */
export const LOOP_RULES: readonly Rule[] = [
  loopsEndQuietly,
  nothingBeginsAfterClose,
  unseenEventsAreMissing,
  earlierAttemptsAreCovered,
  failedStepsHaveTheirPlace,
  failuresAreExplained,
  droppedEventsAreMissing,
  overflowsFollowEachOther,
  leaversReadNoMore,
];
