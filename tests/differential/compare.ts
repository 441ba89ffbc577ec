import { isRecord } from "../../protocol/mod.ts";
import type { RawFrame } from "../conformance/connection.ts";
import { type Bindings, mismatch } from "../conformance/match.ts";
import { type Event, rewriteAnswer, rewriteEvents, typeOf } from "./allowed.ts";
import type { Outcome } from "./run_sequence.ts";

/** The first difference between two outcomes. */
export interface Difference {
  /** The exchange it is in, or `undefined` if it is in the events. */
  readonly exchange?: number;
  readonly text: string;
}

const ID = /\b(job|wfrun|evt)_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;
const KIND: Record<string, string> = { job: "job", wfrun: "run", evt: "event" };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const TIMES = new Set([
  ...["ts", "created_at", "updated_at", "started_at", "completed_at", "run_at", "next_run_at"],
  ...["heartbeat_at"],
]);

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
      return key === "elapsed_ms" ? "$ms" : value;
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

/** Compares what two servers did, apart from what is allowed to differ. */
export function compare(expected: Outcome, actual: Outcome): Difference | undefined {
  const template = new Template();
  const bindings: Bindings = new Map();
  for (const [index, exchange] of expected.exchanges.entries()) {
    const other = actual.exchanges[index];
    if (!other) return { exchange: index, text: "there is no such exchange" };
    if (exchange.answers.length !== other.answers.length) {
      const text = `${exchange.answers.length} answers and ${other.answers.length}`;
      return { exchange: index, text };
    }
    for (const [at, answer] of exchange.answers.entries()) {
      const text = mismatch(
        template.of(rewriteAnswer(answer)),
        rewriteAnswer(other.answers[at]!),
        bindings,
        `answer ${at + 1}`,
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
  for (const [index, { conn, events, isSilent }] of expected.received.entries()) {
    const { events: other, isSilent: isOtherSilent } = actual.received[index]!;
    if (isSilent !== isOtherSilent) {
      return { text: `${conn}: only ${isSilent ? "the second" : "the first"} server sends events` };
    }
    const text = eventsDiffer(template, bindings, events, other);
    if (text !== undefined) return { text: `${conn}: ${text}` };
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
): string | undefined {
  const wanted = byTopic(expected);
  const got = byTopic(actual);
  for (const [topic, events] of wanted) {
    const name = String(template.of(topic));
    const other = name.replace(/\$\w+$/, (placeholder) => bindings.get(placeholder) ?? placeholder);
    // Runs that no answer named may have started in another order: any of them with these events is
    // the same one.
    const others = got.has(other) ? [other] : unbound(got, topic, bindings);
    let difference: string | undefined;
    const found = others.find((candidate) => {
      const trial = new Map(bindings);
      const text = listsDiffer(template, trial, events, got.get(candidate)!, name);
      difference ??= text;
      if (text !== undefined) return false;
      for (const [placeholder, id] of trial) bindings.set(placeholder, id);
      return true;
    });
    if (found === undefined) {
      return difference ?? listsDiffer(template, bindings, events, [], name);
    }
    got.delete(found);
  }
  for (const [topic, events] of got) {
    return `only the second server sends ${events.map(typeOf).join(" ")} of ${topic}`;
  }
}

/** Compares the events of a job or run, one by one. */
function listsDiffer(
  template: Template,
  bindings: Bindings,
  expected: readonly Event[],
  actual: readonly Event[],
  name: string,
): string | undefined {
  if (expected.length !== actual.length) {
    const types = actual.map(typeOf).join(" ") || "nothing";
    return `${name}, ${expected.map(typeOf).join(" ")}: the second server sends ${types}`;
  }
  for (const [index, event] of expected.entries()) {
    const at = `${name}, event ${index + 1}`;
    const difference = mismatch(template.of(event), actual[index], bindings, at);
    if (difference !== undefined) return difference;
  }
}

/** The topics of jobs or runs that no answer has named. */
function unbound(topics: Map<string, unknown>, like: string, bindings: Bindings): string[] {
  const kind = like.slice(0, like.indexOf(":"));
  const bound = new Set([...bindings.values()].map((id) => `${kind}:${id}`));
  return [...topics.keys()].filter((topic) => topic.startsWith(`${kind}:`) && !bound.has(topic));
}

function byTopic(events: readonly Event[]): Map<string, readonly Event[]> {
  const topics = new Map<string, Event[]>();
  for (const event of events) {
    const topic = String((event.data as RawFrame).topic);
    topics.set(topic, [...topics.get(topic) ?? [], event]);
  }
  return new Map([...topics].map(([topic, list]) => [topic, rewriteEvents(list)]));
}
