import { isRecord } from "../../protocol/mod.ts";
import type { RawFrame } from "../conformance/connection.ts";
import { type Bindings, mismatch } from "../conformance/match.ts";
import { type Allowed, isAllowed } from "./allowed.ts";
import type { StreamEvent } from "./event_stream.ts";
import type { Outcome } from "./run_sequence.ts";

/** The first difference between two outcomes. */
export interface Difference {
  /** The exchange it is in, or `undefined` if it is in the events. */
  readonly exchange?: number;
  readonly text: string;
}

type Event = RawFrame | StreamEvent;

const ID = /\b(job|wfrun|evt)_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;
const KIND: Record<string, string> = { job: "job", wfrun: "run", evt: "event" };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const TIMES = new Set([
  ...["ts", "created_at", "updated_at", "started_at", "completed_at", "run_at", "next_run_at"],
  ...["heartbeat_at"],
]);
const COUNTS = new Set(["topic_count", "subscriber_count", "total_published"]);

/**
 * Converts what a server sent to what a transcript would expect: placeholders for ids, times and
 * other values that differ each time.
 */
export class Template {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();

  /** The placeholder of an id. */
  #placeholder(kind: string, id: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    this.#names.set(id, `$${kind}${count}`);
    return `$${kind}${count}`;
  }

  of(value: unknown, key = "", parent: RawFrame = {}): unknown {
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (isRecord(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [name, this.of(item, name, value)]),
      );
    }
    if (typeof value === "number") {
      if (key === "elapsed_ms") return "$ms";
      return COUNTS.has(key) ? "$number" : value;
    }
    if (typeof value !== "string") return value;
    if (key === "id" && "type" in parent) return "$frame";
    if (key === "session_id") return this.#placeholder("session", value);
    // A pong has the time of its ping.
    if (TIMES.has(key) && TIME.test(value) && parent.type !== "pong") return "$time";
    if (key === "data" && /^(wait|spawn):/.test(String(parent.step_name))) return "$base64";
    return value.replace(ID, (id, prefix) => this.#placeholder(KIND[prefix]!, id));
  }
}

/** Compares what two servers did. Differences that are allowed are left out, and counted. */
export function compare(
  expected: Outcome,
  actual: Outcome,
  allowed: Map<Allowed, number> = new Map(),
): Difference | undefined {
  const template = new Template();
  const bindings: Bindings = new Map();
  const differs = (want: unknown, got: unknown, path: string, sent: string): string | undefined => {
    const difference = mismatch(want, got, bindings, path);
    if (difference === undefined) return undefined;
    const reason = isAllowed({ expected: want, actual: got, sent });
    if (reason === undefined) return difference;
    allowed.set(reason, (allowed.get(reason) ?? 0) + 1);
    return undefined;
  };
  for (const [index, exchange] of expected.exchanges.entries()) {
    const other = actual.exchanges[index];
    if (!other) return { exchange: index, text: "there is no such exchange" };
    const sent = exchange.sent.join("\n");
    if (exchange.answers.length !== other.answers.length) {
      const text = `${exchange.answers.length} answers and ${other.answers.length}`;
      return { exchange: index, text };
    }
    for (const [at, answer] of exchange.answers.entries()) {
      const text = differs(
        template.of(withSortedSteps(answer)),
        withSortedSteps(other.answers[at]!),
        `answer ${at + 1}`,
        sent,
      );
      if (text !== undefined) return { exchange: index, text };
    }
    if (exchange.isClosed !== other.isClosed) {
      const [open, closed] = exchange.isClosed
        ? ["the second", "the first"]
        : ["the first", "the second"];
      return { exchange: index, text: `${closed} server closes the connection, ${open} does not` };
    }
  }
  for (const [index, { conn, events }] of expected.received.entries()) {
    const other = actual.received[index]!.events;
    const text = eventsDiffer(
      template,
      bindings,
      events,
      other,
      (want, got, path) => differs(want, got, `${conn}: ${path}`, ""),
    );
    if (text !== undefined) return { text };
  }
  if (expected.unsettled !== actual.unsettled) {
    return { text: `${expected.unsettled} jobs and runs do not end, and ${actual.unsettled}` };
  }
}

/** Compares the events of each job and run, in their order. */
function eventsDiffer(
  template: Template,
  bindings: Bindings,
  expected: readonly Event[],
  actual: readonly Event[],
  differs: (want: unknown, got: unknown, path: string) => string | undefined,
): string | undefined {
  const wanted = byTopic(expected);
  const got = byTopic(actual);
  for (const [topic, events] of wanted) {
    const name = String(template.of(topic));
    const other = name.replace(/\$\w+$/, (placeholder) => bindings.get(placeholder) ?? placeholder);
    // One that no answer named is the first of its kind that the other server named in no answer.
    const found = got.has(other) ? other : firstUnbound(got, topic, bindings);
    const others = got.get(found) ?? [];
    got.delete(found);
    const path = `${name}, ${events.map(typeOf).join(" ")}`;
    if (events.length !== others.length) {
      return `${path}: the second server sends ${others.map(typeOf).join(" ") || "nothing"}`;
    }
    for (const [index, event] of events.entries()) {
      const difference = differs(template.of(event), others[index], `${name}, event ${index + 1}`);
      if (difference !== undefined) return difference;
    }
  }
  for (const [topic, events] of got) {
    return `only the second server sends ${events.map(typeOf).join(" ")} of ${topic}`;
  }
}

function firstUnbound(topics: Map<string, unknown>, like: string, bindings: Bindings): string {
  const kind = like.slice(0, like.indexOf(":"));
  const bound = new Set([...bindings.values()].map((id) => `${kind}:${id}`));
  return [...topics.keys()].find((topic) => topic.startsWith(`${kind}:`) && !bound.has(topic)) ??
    "";
}

function byTopic(events: readonly Event[]): Map<string, Event[]> {
  const topics = new Map<string, Event[]>();
  for (const event of events) {
    const topic = String((event.data as RawFrame).topic);
    topics.set(topic, [...topics.get(topic) ?? [], event]);
  }
  for (const [topic, unsorted] of topics) {
    const list = sortParallel(unsorted, stepOf);
    topics.set(topic, list);
    // `job.enqueued` is sent by another task, and may come late.
    list.sort((a, b) =>
      Number(typeOf(b) === "job.enqueued") - Number(typeOf(a) === "job.enqueued")
    );
  }
  return topics;
}

/** Sorts steps that run at the same time, where they follow each other. */
function sortParallel<T>(list: readonly T[], nameOf: (item: T) => string): T[] {
  const sorted: T[] = [];
  const group: T[] = [];
  for (const item of list) {
    const isParallel = /^parallel:.*:\d+$/.test(nameOf(item));
    if (!isParallel) sorted.push(...group.splice(0), item);
    else {
      const at = group.findIndex((other) => nameOf(other) > nameOf(item));
      group.splice(at === -1 ? group.length : at, 0, item);
    }
  }
  return [...sorted, ...group];
}

function stepOf(event: Event): string {
  return String(((event.data as RawFrame).data as RawFrame | undefined)?.step_name);
}

/** Sorts the parallel steps of a timeline. */
function withSortedSteps(answer: RawFrame): RawFrame {
  if (isRecord(answer.body)) return { ...answer, body: withSortedSteps(answer.body) };
  if (!Array.isArray(answer.data)) return answer;
  return { ...answer, data: sortParallel(answer.data, ({ step_name }) => String(step_name)) };
}

function typeOf(event: Event): string {
  return String((event.data as RawFrame).type);
}
