import { isRecord } from "../../protocol/mod.ts";
import type { RawFrame } from "../conformance/connection.ts";
import type { StreamEvent } from "./event_stream.ts";

/** An event frame, or an event of a stream. */
export type Event = RawFrame | StreamEvent;

/**
 * A difference that is allowed. What both servers sent is rewritten before it is compared, so that
 * it no longer differs.
 */
export interface Allowed {
  readonly name: string;
  /** Why the servers may differ. */
  readonly reason: string;
  /** Rewrites the data of an answer. */
  data?(data: unknown): unknown;
  /** Rewrites the events of one job or run. */
  events?(events: readonly Event[]): readonly Event[];
}

/** The differences that are allowed. Ids, times and durations only need the right form. */
export const ALLOWED: readonly Allowed[] = [
  {
    name: "late-enqueued",
    reason: "a real server wakes its workers before it publishes `job.enqueued`",
    events: (events) => {
      const isEnqueued = (event: Event) => typeOf(event) === "job.enqueued";
      return [...events.filter(isEnqueued), ...events.filter((event) => !isEnqueued(event))];
    },
  },
  {
    name: "parallel-order",
    reason: "steps that run at the same time end in any order",
    data: (data) =>
      Array.isArray(data) ? sortParallel(data, ({ step_name }) => String(step_name)) : data,
    events: (events) => sortParallel(events, stepOf),
  },
  {
    name: "stats-counts",
    reason: "a server counts the connections and events of everybody, and from its start",
    data: (data) =>
      isRecord(data) && isRecord(data.broker)
        ? { ...data, broker: { ...data.broker, ...COUNTS } }
        : data,
  },
  {
    name: "flaky-error",
    reason: "the workload says that `flaky` fails twice, and not how it words that",
    data: (data) =>
      isRecord(data) && data.name === "flaky" && typeof data.last_error === "string"
        ? { ...data, last_error: data.last_error.replace(/^attempt (\d+)\b.*/, "attempt $1") }
        : data,
  },
];

const COUNTS = { topic_count: 0, subscriber_count: 0, total_published: 0 };

/** Rewrites an answer, in a frame or in the body of a response. */
export function rewriteAnswer(answer: RawFrame): RawFrame {
  if (isRecord(answer.body)) return { ...answer, body: rewriteAnswer(answer.body) };
  if (!("data" in answer)) return answer;
  return {
    ...answer,
    data: ALLOWED.reduce((data, { data: rewrite }) => rewrite ? rewrite(data) : data, answer.data),
  };
}

/** Rewrites the events of one job or run. */
export function rewriteEvents(events: readonly Event[]): readonly Event[] {
  return ALLOWED.reduce((list, { events: rewrite }) => rewrite ? rewrite(list) : list, events);
}

/** The type of an event. */
export function typeOf(event: Event): string {
  return String((event.data as RawFrame).type);
}

function stepOf(event: Event): string {
  return String(((event.data as RawFrame).data as RawFrame | undefined)?.step_name);
}

/** Sorts steps that run at the same time, where they follow each other. */
function sortParallel<T>(list: readonly T[], nameOf: (item: T) => string): T[] {
  const sorted: T[] = [];
  const group: T[] = [];
  for (const item of list) {
    if (/^parallel:.*:\d+$/.test(nameOf(item))) {
      const at = group.findIndex((other) => nameOf(other) > nameOf(item));
      group.splice(at === -1 ? group.length : at, 0, item);
    } else sorted.push(...group.splice(0), item);
  }
  return [...sorted, ...group];
}
