import { readLines } from "../../../runtime/lines.ts";
import { RECIPE_EVENT_VERSION, type RecipeEvent } from "../../events/event.ts";
import type { JsonSchema } from "../../language/field.ts";
import { eventSchema } from "./event_schema.ts";
import { type Check, compileSchema } from "./schema_check.ts";
import { schemaMistake } from "./schema_mistake.ts";

/** A text is not the stream of one run; its code is `"not_a_stream"`. */
export class StreamError extends Error {
  /** Always `"not_a_stream"`. */
  readonly code = "not_a_stream";
  /** The line of the mistake, from 1. */
  readonly line: number;
  /** The text of the line. */
  text = "";
  /** The file, if the stream is in one. */
  path: string | undefined;

  /** Whether the text stops before the end of its first event, as that of a killed process. */
  readonly isUnbegun: boolean;

  /** Creates an error for a line. */
  constructor(message: string, line: number, options: ErrorOptions & { isUnbegun?: boolean } = {}) {
    super(message, options);
    this.name = "StreamError";
    this.line = line;
    this.isUnbegun = options.isUnbegun ?? false;
  }
}

/** The most characters that an event may have. */
const MAX_LINE = 64 << 20;

/**
 * Reads what the `jsonl` reporter wrote about one run: some events at a time, and each when it is
 * asked for, so that a large stream is never in memory. Events of types that this version does not
 * know are left out, and so is a last line that is cut off, as when the process was killed.
 *
 * @param reader Knows afterwards whether the stream has an end.
 * @throws {StreamError | FileError} If a line is not an event, or the file is not the stream of one run.
 */
export async function* readEvents(
  path: string,
  reader: StreamReader = new StreamReader(path),
): AsyncGenerator<Iterable<RecipeEvent>> {
  for await (const { lines, isUnended } of readLines(path, "stream", MAX_LINE)) {
    yield parseLines(lines, isUnended, reader);
  }
  reader.end();
}

function* parseLines(
  lines: readonly string[],
  isUnended: boolean,
  reader: StreamReader,
): Generator<RecipeEvent> {
  for (const [i, line] of lines.entries()) {
    const event = reader.read(line, isUnended && i === lines.length - 1);
    if (event) yield event;
  }
}

/** Reads a stored stream line by line. */
export class StreamReader {
  /** The number of the last line, if it is cut off. */
  tornLine: number | undefined;
  /** Whether the last event of the run has been read. */
  hasEnded = false;
  readonly #schemas: EventSchemas;
  readonly #path: string | undefined;
  #number = 0;
  #hasBegun = false;

  /**
   * Starts before the first line.
   * @param path The file, which errors name.
   */
  constructor(path?: string) {
    this.#path = path;
    this.#schemas = knownSchemas ??= compileEvents();
  }

  /**
   * Reads a line; `undefined` if it is empty, cut off, or an event that this version does not know.
   *
   * @param isUnended Whether the text ends with this line, and not with the end of a line.
   * @throws {StreamError} If it is not the next event of the stream.
   */
  read(line: string, isUnended: boolean): RecipeEvent | undefined {
    try {
      return this.#read(line, isUnended);
    } catch (error) {
      throw this.#withPlace(error, line);
    }
  }

  #read(line: string, isUnended: boolean): RecipeEvent | undefined {
    const number = ++this.#number;
    if (line.trim() === "") return undefined;
    // An editor or a shell may have written a byte order mark.
    const text = number === 1 ? line.replace(/^\ufeff/, "") : line;
    if (number === 1) checkText(text);
    const value = parse(text, number, isUnended);
    if (value === TORN) {
      this.tornLine = number;
      return undefined;
    }
    const type = typeOf(value, number);
    if (!this.#hasBegun) checkBeginning(value, type, number);
    else if (type === "run.started") {
      throw new StreamError("another run begins here; a stream has one", number);
    }
    if (this.hasEnded) throw new StreamError("it comes after the end of the run", number);
    const check = this.#schemas.checks.get(type);
    if (!check) return undefined;
    if (!check(value)) {
      const { definitions } = this.#schemas;
      const mistake = schemaMistake(value, definitions[type]!, definitions);
      throw new StreamError(`it is no event \`${type}\`: ${mistake}`, number);
    }
    this.#hasBegun = true;
    this.hasEnded = type === "run.finished";
    return value as RecipeEvent;
  }

  /** @throws {StreamError} If there was no event. */
  end(): void {
    if (this.#hasBegun) return;
    const message = "it is empty; a stream begins with the event `run.started`";
    throw this.#withPlace(new StreamError(message, 1, { isUnbegun: true }), "");
  }

  #withPlace(error: unknown, text: string): unknown {
    if (error instanceof StreamError) Object.assign(error, { text, path: this.#path });
    return error;
  }
}

/** The schemas of events, and functions that check them. */
interface EventSchemas {
  definitions: Record<string, JsonSchema>;
  /** By the types of events that this version knows. */
  checks: ReadonlyMap<string, Check>;
}

/** Made when the first stream is read. */
let knownSchemas: EventSchemas | undefined;

function compileEvents(): EventSchemas {
  const schema = eventSchema();
  const definitions = schema.definitions as Record<string, JsonSchema>;
  const checks = (schema.oneOf as { $ref: string }[]).map(({ $ref }) => {
    const type = $ref.slice("#/definitions/".length);
    return [type, compileSchema(definitions[type]!, definitions)] as const;
  });
  return { definitions, checks: new Map(checks) };
}

const TORN = Symbol("torn");

/** What each stream begins with. */
const BEGINNING = '{"type":"run.started"';

function parse(line: string, number: number, isLast: boolean): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    // The reporter ends each line, so only the end of the text can be the middle of an event.
    if (isLast && number > 1) return TORN;
    if (isLast && (BEGINNING.startsWith(line) || line.startsWith(BEGINNING))) {
      throw new StreamError("its first event is cut off", 1, { isUnbegun: true, cause });
    }
    throw new StreamError("it is not JSON; each line of a stream is an event", number, { cause });
  }
}

/** Says of two other kinds of files what they are. */
function checkText(line: string): void {
  // Bytes that are no UTF-8 have become replacement characters.
  const why = line.startsWith("\u001f\ufffd")
    ? "it is compressed with gzip; decompress it first"
    : line.includes("\0")
    ? "it is not UTF-8 text"
    : undefined;
  if (why !== undefined) throw new StreamError(why, 1);
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
