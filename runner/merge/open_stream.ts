import { readTail } from "../../runtime/lines.ts";
import { readEvents, StreamError } from "../report/json/read_stream.ts";
import type { RecipeEvent } from "../events/event.ts";
import { StreamCheck } from "./stream_check.ts";
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
  const { text, size, isFile } = await readTail(path, "stream", MAX_END);
  if (!isFile) {
    const why = "it is no regular file, and streams are read more than once";
    throw new MergeError(`Cannot merge '${path}': ${why}`, "bad_stream");
  }
  let started: StreamFile["started"];
  try {
    started = await firstEvent(path);
  } catch (error) {
    if (error instanceof StreamError && error.isUnbegun) return undefined;
    throw error;
  }
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
  const check = new StreamCheck(path, started);
  const checked = function* (some: Iterable<RecipeEvent>) {
    for (const event of some) {
      check.take(event);
      yield event;
    }
  };
  for await (const some of readEvents(path)) yield checked(some);
}
