import type { DispatchEvent, Gap } from "../../mod.ts";
import { channelsOf } from "../../protocol/mod.ts";
import { callName, type Reading } from "./actor.ts";
import { keyOf, type Published } from "./model.ts";
import type { Evidence, Rule } from "./rules.ts";

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

/**
 * Events that were published this many milliseconds before may have been under way, or even longer if
 * the client has slept.
 */
const IN_FLIGHT = 3_000;

/** Rule 4: a full buffer drops what the caller chose, and counts it. */
function* overflowIsExact({ world, model, actors }: Evidence): Iterable<string> {
  for (const actor of actors) {
    if (actor.isHttp || model.miscounts(actor.name)) continue;
    const control = new Set(
      actor.statuses.flatMap(({ status }) => status.type === "connected" ? status.sessionId : []),
    );
    for (const reading of actor.subscriptions) {
      const { outcome, items } = reading;
      const { overflow = "drop-oldest" } = outcome.op as { overflow?: string };
      const gaps = items.filter((item) => !isEvent(item)) as Gap[];
      const overflows = gaps.filter(({ reason }) => reason === "overflow");
      if (overflow === "error" && overflows.length > 0) {
        yield `4: ${callName(outcome)} was told of dropped events, not with an error`;
      }
      // Whoever is still busy has more events in its buffer.
      const isPartial = reading.ended !== undefined || reading.isLeft || reading.isBusy;
      // A full buffer drops other gaps with the events around them.
      const hasOtherGaps = actor.statuses.some(({ status, worldAt }) =>
        (status.type === "gap" || status.type === "connected" && status.attempt > 0) &&
        worldAt >= reading.at
      );
      if (isPartial || hasOtherGaps || gaps.length > overflows.length) continue;
      const yielded = new Set(items.filter(isEvent).map(keyOf));
      const missing = model.published.filter((it) =>
        !yielded.has(keyOf(it.event)) && (actor.hasSlept || it.at >= reading.at - IN_FLIGHT) &&
        mayReach(it, reading, control)
      );
      const certain = missing.filter((it) =>
        it.order >= reading.from && it.at < world.now - IN_FLIGHT &&
        mustReach(it, reading, control, model)
      );
      const missed = overflows.reduce((sum, gap) => sum + (gap.missed ?? 0), 0);
      if (missed < certain.length || missed > missing.length) {
        yield `4: ${
          callName(outcome)
        } was told of ${missed} dropped events, not ${certain.length} to ${missing.length}`;
      }
      const last = items.at(-1);
      if (overflow === "drop-oldest" && last?.type === "gap") {
        yield `4: ${callName(outcome)} dropped the newest event, not the oldest`;
      }
      if (overflow === "drop-newest" && overflows.length > 0) {
        const first = items.findIndex((item) => !isEvent(item));
        const { buffer = 10_000 } = outcome.op as { buffer?: number };
        if (first < buffer) {
          yield `4: ${callName(outcome)} dropped the oldest event, not the newest`;
        }
      }
    }
  }
}

/** Rule 4: a buffer holds no more events than the caller allows. */
function* buffersHaveTheirSize({ actors }: Evidence): Iterable<string> {
  for (const { outcome, mostBuffered } of actors.flatMap(({ subscriptions }) => subscriptions)) {
    const { buffer = 10_000 } = outcome.op as { buffer?: number };
    if (mostBuffered <= buffer) continue;
    yield `4: ${callName(outcome)} held ${mostBuffered} events, not at most ${buffer}`;
  }
}

/** Rule 4: what a buffer held when it was full is read before the error. */
function* fullBuffersAreRead({ actors }: Evidence): Iterable<string> {
  for (const { outcome, items, ended, isLeft } of actors.flatMap((it) => it.subscriptions)) {
    if (isLeft || Object(ended?.error).code !== "overflow") continue;
    const { buffer = 10_000 } = outcome.op as { buffer?: number };
    const { length } = items.filter(isEvent);
    if (length >= buffer) continue;
    yield `4: ${callName(outcome)} failed after ${length} events, with room for ${buffer}`;
  }
}

/** Whether an event may have reached a subscription, if only because the client has another one. */
function mayReach(
  { event, sessions }: Published,
  reading: Reading,
  control: ReadonlySet<string>,
): boolean {
  return channelsOf(event).includes(reading.name) &&
    [...sessions.keys()].some(({ id }) => control.has(id));
}

/** Whether an event must have reached a subscription, since the server sent it. */
function mustReach(
  { event, at, sessions }: Published,
  reading: Reading,
  control: ReadonlySet<string>,
  model: Evidence["model"],
): boolean {
  return !model.lost.has(keyOf(event)) &&
    [...sessions].some(([session, channels]) =>
      control.has(session.id) && channels.includes(reading.channel) && !model.isStalled(session, at)
    );
}

const nameOf = ({ type, data }: DispatchEvent) =>
  "step_name" in data ? `${type} ${data.step_name}` : type;

const LAST = ["job.completed", "job.dlq", "workflow.completed", "workflow.failed"];

/** Rule 5: the events of a watch are in order, the last one last. */
function* watchesAreInOrder({ model, actors }: Evidence): Iterable<string> {
  for (const { watches } of actors) {
    for (const { outcome, items, name: id } of watches) {
      const events = items.filter(isEvent);
      const at = events.findIndex(({ type }) => LAST.includes(type));
      if (at >= 0 && at < events.length - 1) {
        yield `5: ${callName(outcome)} yielded ${events.at(-1)!.type} after ${events[at]!.type}`;
      }
      // A run reaches each step once, so what was synthesized from its timeline has a position, too. An
      // event that a lane lost alone is missed only later.
      const positions = new Map<string, number>();
      if (id.startsWith("wfrun_")) {
        for (const { event, order } of model.published) {
          if (event.topic !== `workflow:${id}` || model.lost.has(keyOf(event))) continue;
          positions.set(nameOf(event), order);
        }
      }
      let last = -1;
      for (const event of events) {
        const order = positions.get(nameOf(event)) ?? model.byKey.get(keyOf(event))?.[0]?.order ??
          last;
        if (order < last) yield `5: ${callName(outcome)} of ${id} yielded ${event.type} too late`;
        last = order;
      }
    }
  }
}

/** Rule 5: a wait resolves if its job or run has completed, and rejects if not. */
export function* waitsTellTheOutcome({ actors }: Evidence): Iterable<string> {
  for (const { outcomes } of actors) {
    for (const { op, target, result, error, ...outcome } of outcomes) {
      if (!target) continue;
      const { state } = Object(result ?? Object(error).job ?? Object(error).run);
      const isCompleted = state === "completed";
      if (state !== undefined && isCompleted !== (result !== undefined)) {
        yield `5: ${callName({ op, ...outcome })} ${
          result ? "resolved" : "rejected"
        } with ${state}`;
      }
    }
  }
}

/** Rules about subscriptions and watches. */
export const STREAM_RULES: readonly Rule[] = [
  buffersHaveTheirSize,
  overflowIsExact,
  fullBuffersAreRead,
  watchesAreInOrder,
  waitsTellTheOutcome,
];
