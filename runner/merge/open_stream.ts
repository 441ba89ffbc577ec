import { readLines } from "../../runtime/lines.ts";
import { StreamError, StreamReader } from "../report/json/read_stream.ts";
import type { RecipeEvent } from "../events/event.ts";
import { MergeError, type StreamFile } from "./streams.ts";

/** The most characters that an event may have. */
const MAX_LINE = 64 << 20;

/**
 * Opens the stored stream in a file. All of it is checked first, and read again when its events are
 * needed, so that many large streams can be merged in little memory.
 *
 * @throws {MergeError | FileError} When it is not the stream of one run, or cannot be read.
 */
export async function openStream(path: string): Promise<StreamFile> {
  let started: StreamFile["started"] | undefined;
  let hasEnded = false;
  for await (const event of events(path)) {
    if (event.type === "run.started") started = event;
    hasEnded = event.type === "run.finished";
  }
  return { name: path, started: started!, hasEnded, read: () => events(path, true) };
}

/** Reads the events of a file. */
async function* events(path: string, isChecked = false): AsyncGenerator<RecipeEvent> {
  const reader = new StreamReader({ isChecked });
  try {
    for await (const { lines, isUnended } of readLines(path, "stream", MAX_LINE)) {
      for (const [i, line] of lines.entries()) {
        const event = reader.read(line, isUnended && i === lines.length - 1);
        if (event) yield event;
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const message = `Cannot read stream '${path}', line ${error.line}: ${error.message}`;
    throw new MergeError(message, "bad_stream", { cause: error });
  }
}
