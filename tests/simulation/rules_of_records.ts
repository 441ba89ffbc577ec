import type { DispatchEvent, Gap, JobRecord } from "../../mod.ts";
import { callName, type Reading } from "./actor.ts";
import { keyOf, type Published } from "./model.ts";
import { controlSessions, type Evidence, type Rule } from "./rules.ts";

const text = (value: unknown) => JSON.stringify(value);

/** The calls that resolve with the record of one job or run. */
const READS = ["getJob", "getRun", "waitJob", "waitRun"];

/** The fields of a record that never change. */
const FIXED = ["id", "name", "queue", "payload", "input", "priority", "created_at"];

/** Rule 5: a record is that of the job or run, as the store had it during the call. */
function* recordsAreTrue({ actors, model }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, isSettled, result, error, before, after, asked } = outcome;
    if (!READS.includes(op.do) || !isSettled) continue;
    const { job, run } = Object(error);
    const record = result ?? job ?? run;
    const known = before && after;
    if (!record) {
      if (known && Object(error).code === 404) yield `5: ${callName(outcome)} found no ${asked}`;
      continue;
    }
    const fields = record as Record<string, unknown>;
    if (fields.id !== asked) yield `5: ${callName(outcome)} of ${asked} got ${fields.id}`;
    if (!known) continue;
    // Servers mark a job cancelled that has ended; a handle keeps the record with which it ended.
    if (outcome.target && model.cancelled.has(asked!)) continue;
    for (const field of FIXED) {
      if (text(fields[field]) === text((after as never)[field])) continue;
      yield `5: ${callName(outcome)} of ${asked} got another ${field}: ${text(fields[field])}`;
    }
    if (text(before) === text(after) && text(record) !== text(after)) {
      yield `5: ${callName(outcome)} got ${text(record)}, not ${text(after)}`;
    }
    // Without the `Z`, times of different precision sort as text.
    if ((record as JobRecord).updated_at.slice(0, -1) < before.updated_at.slice(0, -1)) {
      yield `5: ${callName(outcome)} of ${asked} got a record that was out of date`;
    }
  }
}

/** Matches checkpoints for which servers publish no event. */
const SILENT = /^(wait|sleep|fanout)|^parallel:[^:]*$/;

/** Rule 5: a timeline has the steps that had completed, each once and in order, and no others. */
function* timelinesAreTrue({ actors, model }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, result, asked, worldBegin, worldEnd } = outcome;
    if (op.do !== "timeline" || !result || !outcome.before || !outcome.after) continue;
    const steps = (result as string[]).filter((step) => !SILENT.test(step));
    const completed = (until: number) =>
      model.published.flatMap(({ at, event }) =>
        at <= until && event.type === "workflow.step_completed" &&
          event.data.run_id === asked
          ? event.data.step_name
          : []
      );
    const missing = completed(worldBegin - 1).filter((step) => !steps.includes(step));
    const late = completed(worldEnd);
    const wrong = steps.filter((step) => !late.includes(step));
    const inOrder = [...new Set(late)].filter((step) => steps.includes(step));
    if (wrong.length === 0 && text(inOrder) !== text(steps)) {
      yield `5: ${callName(outcome)} of ${asked} has ${steps}, not in the order ${inOrder}`;
    }
    if (missing.length > 0) yield `5: ${callName(outcome)} of ${asked} misses ${missing}`;
    if (wrong.length > 0) yield `5: ${callName(outcome)} of ${asked} has ${wrong}`;
  }
}

/** Rule 3: what a write resolved with is what this very call created or changed. */
function* answersAreOwn({ actors, model }: Evidence): Iterable<string> {
  const cancels = new Map<string, number>();
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, result, error, isSettled, value, asked } = outcome;
    if (!isSettled || error) continue;
    if (op.do === "publish") {
      const signal = model.signals.find(({ id }) => id === result);
      if (signal?.name !== op.name || text(signal.payload) !== text(value)) {
        yield `3: ${callName(outcome)} has the event ${result}, which is ${text(signal)}`;
      }
    }
    if (op.do === "enqueueMany") {
      const ids = result as string[];
      if (ids.length !== op.count) yield `3: ${callName(outcome)} has ${ids.length} jobs`;
      for (const [index, id] of ids.entries()) {
        const job = model.stores.map((store) => store.job(id)).find((found) => found);
        if (job && job.queue !== (op.queue ?? "default")) {
          yield `3: ${callName(outcome)} has ${id} in the queue ${job.queue}`;
        }
        if (job?.name === op.name && text(job.payload) === text([value, index])) continue;
        yield `3: ${callName(outcome)} has ${id} at ${index}, which is ${text(job?.payload)}`;
      }
    }
    if (op.do === "cancel") cancels.set(asked!, (cancels.get(asked!) ?? 0) + 1);
  }
  for (const [id, times] of cancels) {
    const happened = model.cancels.filter((it) => it === id).length;
    if (happened < times) {
      yield `3: ${times} calls cancelled ${id}, but it happened ${happened} times`;
    }
  }
}

const isEvent = (item: DispatchEvent | Gap): item is DispatchEvent => item.type !== "gap";

/** Rule 4 and 5: an event has the data with which it was published. */
function* eventsAreWhole({ actors, model }: Evidence): Iterable<string> {
  const byTopic = new Map<string, Published[]>();
  for (const published of model.published) {
    const { topic } = published.event;
    const list = byTopic.get(topic);
    if (list) list.push(published);
    else byTopic.set(topic, [published]);
  }
  for (const { subscriptions, watches } of actors) {
    for (const { outcome, items } of subscriptions) {
      for (const item of items.filter(isEvent)) {
        const found = model.byKey.get(keyOf(item));
        if (!found || found.some(({ event }) => text(event) === text(item))) continue;
        yield `4: ${callName(outcome)} yielded ${text(item)}, not ${text(found[0]!.event)}`;
      }
    }
    for (const { outcome, items } of watches) {
      for (const item of items.filter(isEvent)) {
        // What was synthesized from a record has fewer fields, and a time of the record.
        const found = (byTopic.get(item.topic) ?? []).filter(({ event }) => isSame(event, item));
        if (found.length === 0 || found.some(({ event }) => isPart(item, event))) continue;
        yield `5: ${callName(outcome)} yielded ${text(item)}, not ${text(found[0]!.event)}`;
      }
    }
  }
}

const nameOf = ({ type, data }: DispatchEvent) =>
  "step_name" in data ? `${type} ${data.step_name}` : type;

function isSame(published: DispatchEvent, item: DispatchEvent): boolean {
  return nameOf(published) === nameOf(item);
}

/** The fields that name what an event is about. */
const NAMES = ["job_id", "job_name", "queue", "run_id", "name", "step_name", "scope_app_id"];

function isPart(item: DispatchEvent, published: DispatchEvent): boolean {
  const own = item.data as unknown as Record<string, unknown>;
  const all = published.data as unknown as Record<string, unknown>;
  return Object.keys(own).every((field) => text(own[field]) === text(all[field])) &&
    NAMES.every((field) => field in own || !(field in all));
}

/**
 * Two times of one start: when the record says that it was, and when it was published. Another start
 * is further away.
 */
const SAME_MOMENT = 25;

/**
 * A start that was not sent to a client is known from the record, if it is so many milliseconds later
 * than what was told before, or if that is a retry.
 */
const RESTART_PAUSE = 500;

/**
 * Rule 5: a job whose node died begins anew. So its events have a start, and none that was not, and end
 * with how the last attempt ended. They have the last start, which another node may have published, if
 * the client's connection was sent it or the record shows that it is another one.
 */
function* restartsAreTold({ actors, model }: Evidence): Iterable<string> {
  for (const actor of actors) {
    const control = controlSessions(actor);
    for (const reading of actor.watches) {
      if (!hasRead(reading) || !reading.name.startsWith("job_")) continue;
      const events = reading.items.filter(isEvent);
      const published = model.published.filter(({ event }) =>
        event.topic === `job:${reading.name}`
      );
      const starts = published.filter(({ event }) => event.type === "job.started");
      const told = events.filter(({ type }) => type === "job.started");
      const left = [...starts];
      for (const event of told) {
        const at = left.findIndex((start) => isNear(start.event, event));
        if (at < 0) {
          yield `5: ${callName(reading.outcome)} of ${reading.name} has a start at ${event.ts}`;
        } else left.splice(at, 1);
      }
      const end = events.findIndex(({ type }) => ENDS.includes(type));
      const lastEnd = published.findLast(({ event }) => ENDS.includes(event.type));
      const last = starts.findLast(({ order }) => !lastEnd || order < lastEnd.order);
      if (!last || end < 0 || model.cancelled.has(reading.name)) continue;
      const { items } = reading;
      const hasGap = items.some((item) => !isEvent(item) && item.reason !== "unseen");
      const wasSent = [...last.sessions.keys()].some(({ id }) => control.has(id)) &&
        !hasGap && !model.lost.has(keyOf(last.event));
      const before = events.slice(0, end);
      const isTold = before.some((event) => isNear(last.event, event));
      const misses = items.some((item) => !isEvent(item) && item.reason === "unseen");
      if (isTold || !wasSent && !isShown(last.event, before, misses)) continue;
      yield `5: ${
        callName(reading.outcome)
      } of ${reading.name} misses its start at ${last.event.ts}`;
    }
  }
}

const ENDS = ["job.completed", "job.dlq"];

/** Whether a job's record shows that a start is another one than those which a reader was told of. */
function isShown(start: DispatchEvent, told: DispatchEvent[], misses: boolean): boolean {
  // Where a retry is missing, the failure may have arrived before the start was certain.
  if (misses && told.at(-1)?.type === "job.failed") return false;
  const last = told.findLast(({ type }) => type !== "job.failed");
  const pause = last?.type === "job.retrying" ? 0 : RESTART_PAUSE;
  return last?.type === "job.enqueued" || Date.parse(start.ts) > Date.parse(last!.ts) + pause;
}

function hasRead({ ended, isLeft, outcome }: Reading): boolean {
  return !!ended && !ended.error && !isLeft && !outcome.signal?.signal.aborted;
}

function isNear(start: DispatchEvent, event: DispatchEvent): boolean {
  return event.type === start.type &&
    Math.abs(Date.parse(start.ts) - Date.parse(event.ts)) < SAME_MOMENT;
}

/** Rule 7: a closed client rejects every further call at once. */
function* closedClientsReject({ actors }: Evidence): Iterable<string> {
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, isAfterClose, isSettled, begin, end, error, signal } = outcome;
    const isCall = !["close", "unsubscribe", "watch", "follow", "waitJob", "waitRun"].includes(
      op.do,
    );
    if (!isAfterClose || !isCall || signal || (op.do === "enqueueMany" && op.count === 0)) continue;
    const { code, cause } = Object(error);
    if ([code, Object(cause).code].includes("closed") && end === begin) continue;
    yield `7: ${callName(outcome)} began after close and ${
      isSettled ? `ended with ${code} after ${end - begin} ms` : "has not settled"
    }`;
  }
}

/** Which states of a connection may follow each. */
const NEXT: Record<string, readonly string[]> = {
  idle: ["connecting", "closed"],
  connecting: ["connected", "idle", "closed"],
  connected: ["disconnected", "closed"],
  disconnected: ["reconnecting", "failed", "closed"],
  reconnecting: ["reconnecting", "connected", "failed", "closed"],
  failed: ["connecting", "closed"],
  closed: [],
};

/** Rule 6: the statuses are in their order, and the last one is `closed`. */
export function* statusesAreInOrder({ actors }: Evidence): Iterable<string> {
  for (const { name: client, statuses } of actors) {
    let last: string | undefined;
    for (const { status: { type } } of statuses) {
      if (last === "closed") yield `6: ${client} is ${type} after it was closed`;
      if (!(type in NEXT)) continue;
      if (last !== undefined && !NEXT[last]!.includes(type)) {
        yield `6: ${client} is ${type} after it was ${last}`;
      }
      last = type;
    }
  }
}

/** Rules about the contents of answers, records and events. */
export const RECORD_RULES: readonly Rule[] = [
  recordsAreTrue,
  timelinesAreTrue,
  answersAreOwn,
  eventsAreWhole,
  restartsAreTold,
  closedClientsReject,
  statusesAreInOrder,
];
