import { readLines } from "../../runtime/lines.ts";
import { StreamError, StreamReader } from "../report/json/read_stream.ts";
import type { RecipeEvent } from "../events/event.ts";
import { MergeError, type StreamFile } from "./streams.ts";

/** The most characters that an event may have. */
const MAX_LINE = 64 << 20;

/**
 * Opens the stored stream in a file. All of it is checked first, and read again when its events are
 * needed, so that many large streams can be merged in little memory. Returns nothing for a stream
 * that stops before the end of its first event, because its process was killed.
 *
 * @throws {MergeError | FileError} When it is not the stream of one run, or cannot be read.
 */
export async function openStream(path: string): Promise<StreamFile | undefined> {
  let started: StreamFile["started"] | undefined;
  let hasEnded = false;
  let count = 0;
  try {
    for await (const some of events(path)) {
      for (const event of some) {
        if (event.type === "run.started") started = event;
        else checkCase(event, started!, path);
        hasEnded = event.type === "run.finished";
        count++;
      }
    }
  } catch (error) {
    if (isUnbegun(error)) return undefined;
    throw error;
  }
  return { name: path, started: started!, hasEnded, read: () => again(path, started!, count) };
}

function isUnbegun(error: unknown): boolean {
  const { cause } = error as MergeError;
  return cause instanceof StreamError && cause.isUnbegun;
}

/** Checks that the first event of a stream knows the case of another one. */
function checkCase(
  event: RecipeEvent,
  { shard, cases }: StreamFile["started"],
  path: string,
): void {
  if (!("case" in event) || event.case === undefined) return;
  if (event.case < (shard?.cases.length ?? cases)) return;
  const why = `it has an event of case ${event.case}, but its first event has no such case`;
  throw new MergeError(`Cannot merge '${path}': ${why}`, "bad_stream");
}

/** Reads the events that have been checked again; others may follow them meanwhile. */
async function* again(
  path: string,
  started: StreamFile["started"],
  count: number,
): AsyncGenerator<Iterable<RecipeEvent>> {
  let left = count;
  const wasChanged = () =>
    new MergeError(`Cannot merge '${path}': it was changed meanwhile`, "bad_stream");
  const known = function* (some: Iterable<RecipeEvent>) {
    for (const event of some) {
      if (left === 0) return;
      if (left === count && JSON.stringify(event) !== JSON.stringify(started)) throw wasChanged();
      left--;
      yield event;
    }
  };
  for await (const some of events(path, true)) {
    yield known(some);
    if (left === 0) return;
  }
  throw wasChanged();
}

/** Reads the events of a file: those of a piece of it when they are asked for. */
async function* events(
  path: string,
  isChecked = false,
): AsyncGenerator<Iterable<RecipeEvent>> {
  const reader = new StreamReader({ isChecked });
  for await (const { lines, isUnended } of readLines(path, "stream", MAX_LINE)) {
    yield parse(lines, isUnended, reader, path);
  }
  namePath(path, () => reader.end());
}

function* parse(
  lines: readonly string[],
  isUnended: boolean,
  reader: StreamReader,
  path: string,
): Generator<RecipeEvent> {
  for (const [i, line] of lines.entries()) {
    const isLast = isUnended && i === lines.length - 1;
    const event = namePath(path, () => reader.read(line, isLast));
    if (event) yield event;
  }
}

/** Calls back, and names the file of a mistake in a stream. */
function namePath<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const message = `Cannot read stream '${path}', line ${error.line}: ${error.message}`;
    throw new MergeError(message, "bad_stream", { cause: error });
  }
}
