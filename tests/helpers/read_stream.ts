import type { RecipeEvent } from "../../runner/mod.ts";
import { StreamReader } from "../../runner/report/json/read_stream.ts";

/** The events of a stored stream. */
export interface StoredStream {
  /** The events, in order. */
  events: RecipeEvent[];
  /** The number of the last line, if it is cut off. It is left out. */
  tornLine?: number;
}

/** Reads a stored stream from its text, as `readEvents` reads that in a file. */
export function readStream(text: string): StoredStream {
  const reader = new StreamReader();
  const events: RecipeEvent[] = [];
  for (let start = 0; start < text.length;) {
    const feed = text.indexOf("\n", start);
    const line = text.slice(start, feed === -1 ? text.length : feed);
    const event = reader.read(line, feed === -1);
    if (event) events.push(event);
    start = feed === -1 ? text.length : feed + 1;
  }
  reader.end();
  const { tornLine } = reader;
  return { events, ...(tornLine === undefined ? {} : { tornLine }) };
}
