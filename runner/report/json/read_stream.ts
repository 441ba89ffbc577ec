import { RECIPE_EVENT_VERSION, type RecipeEvent } from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
import { eventSchema } from "./event_schema.ts";
import { schemaMistake } from "./schema_mistake.ts";

/** The events of a stored stream. */
export interface StoredStream {
  /** The events, in order. */
  events: RecipeEvent[];
  /** The number of the last line, if it is cut off. It is left out. */
  tornLine?: number;
}

/** A text is not the stream of one run; its code is `"not_a_stream"`. */
export class StreamError extends Error {
  /** Always `"not_a_stream"`. */
  readonly code = "not_a_stream";
  /** The line of the mistake, from 1. */
  readonly line: number;

  /** Creates an error for a line. */
  constructor(message: string, line: number, options?: ErrorOptions) {
    super(message, options);
    this.name = "StreamError";
    this.line = line;
  }
}

/**
 * Reads what the `jsonl` reporter wrote about one run. Events of types that this version does not know
 * are left out, and so is a last line that is cut off, as when the process was killed.
 *
 * @throws {StreamError} If a line is not an event, or the text is not the stream of one run.
 */
export function readStream(text: string): StoredStream {
  const schema = eventSchema();
  const schemas = schema.definitions as Record<string, JsonSchema>;
  const types = new Set((schema.oneOf as { $ref: string }[]).map(({ $ref }) => $ref.slice(14)));
  const stream: StoredStream = { events: [] };
  let hasEnded = false;
  let number = 0;
  for (let start = 0; start < text.length;) {
    number++;
    const feed = text.indexOf("\n", start);
    const line = text.slice(start, feed === -1 ? text.length : feed);
    start = feed === -1 ? text.length : feed + 1;
    if (line.trim() === "") continue;
    const value = parse(line, number, feed === -1);
    if (value === TORN) {
      stream.tornLine = number;
      break;
    }
    const type = typeOf(value, number);
    if (stream.events.length === 0) checkBeginning(value, type, number);
    else if (type === "run.started") {
      throw new StreamError("another run begins here; a stream has one", number);
    }
    if (hasEnded) throw new StreamError("it comes after the end of the run", number);
    if (!types.has(type)) continue;
    const mistake = schemaMistake(value, schemas[type]!, schemas);
    if (mistake !== undefined) {
      throw new StreamError(`it is no event \`${type}\`: ${mistake}`, number);
    }
    hasEnded = type === "run.finished";
    stream.events.push(value as unknown as RecipeEvent);
  }
  if (stream.events.length > 0) return stream;
  throw new StreamError("it is empty; a stream begins with the event `run.started`", 1);
}

const TORN = Symbol("torn");

function parse(line: string, number: number, isLast: boolean): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    // The reporter ends each line, so only the end of the text can be the middle of an event.
    if (isLast && number > 1) return TORN;
    throw new StreamError("it is not JSON; each line of a stream is an event", number, { cause });
  }
}

function typeOf(value: unknown, line: number): string {
  const type = typeof value === "object" && value !== null && "type" in value
    ? value.type
    : undefined;
  if (typeof type === "string") return type;
  throw new StreamError("it is no event: it has no `type`", line);
}

function checkBeginning(value: unknown, type: string, line: number): void {
  if (type !== "run.started") {
    throw new StreamError(
      `a stream begins with the event \`run.started\`, not \`${type}\``,
      line,
    );
  }
  const { version } = value as { version?: unknown };
  if (typeof version === "number" && version > RECIPE_EVENT_VERSION) {
    throw new StreamError(`a newer version of the runner wrote it (stream ${version})`, line);
  }
}
