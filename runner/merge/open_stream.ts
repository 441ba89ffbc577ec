import { readTail } from "../../runtime/lines.ts";
import { readEvents, StreamError } from "../report/json/read_stream.ts";
import type { RecipeEvent } from "../events/event.ts";
import { MergeError, type StreamFile } from "./streams.ts";

/** The most bytes that the last event of a run may have. */
const MAX_END = 64 << 10;

/**
 * Opens the stored stream in a file, and reads its first event. The others are read when they are
 * needed, so that many large streams can be merged in little memory. Returns nothing for a stream
 * that stops before the end of its first event, because its process was killed.
 *
 * @throws {StreamError | MergeError | FileError} When it is not the stream of one run, or cannot be read.
 */
export async function openStream(path: string): Promise<StreamFile | undefined> {
  let started: StreamFile["started"];
  try {
    started = await firstEvent(path);
  } catch (error) {
    if (error instanceof StreamError && error.isUnbegun) return undefined;
    throw error;
  }
  const { text, size } = await readTail(path, "stream", MAX_END);
  return {
    name: path,
    started,
    hasEnded: endsRun(text),
    size,
    read: () => eventsOf(path, started),
  };
}

/**
 * Reads all events of a stream, and checks them.
 * @throws {StreamError | MergeError | FileError} When it is not the stream of one run, or cannot be read.
 */
export async function checkStream(stream: StreamFile): Promise<void> {
  for await (const some of stream.read()) for (const _ of some);
}

async function firstEvent(path: string): Promise<StreamFile["started"]> {
  for await (const some of readEvents(path)) {
    // Only this event can be the first one.
    for (const event of some) return event as StreamFile["started"];
  }
  throw new Error("The reader of a stream without events has thrown before");
}

/** Whether a text ends with the last event of a run. */
function endsRun(text: string): boolean {
  const last = text.trimEnd().split("\n").at(-1)!;
  try {
    return (JSON.parse(last) as RecipeEvent).type === "run.finished";
  } catch (_error) {
    // It is cut off, or longer than the text.
    return false;
  }
}

/** Reads the events of a stream that has been opened before. */
async function* eventsOf(
  path: string,
  started: StreamFile["started"],
): AsyncGenerator<Iterable<RecipeEvent>> {
  const first = JSON.stringify(started);
  const checked = function* (some: Iterable<RecipeEvent>) {
    for (const event of some) {
      if (event.type !== "run.started") checkCase(event, started, path);
      else if (JSON.stringify(event) !== first) {
        throw new MergeError(`Cannot merge '${path}': it was changed meanwhile`, "bad_stream");
      }
      yield event;
    }
  };
  for await (const some of readEvents(path)) yield checked(some);
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
