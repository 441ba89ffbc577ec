import { decode } from "@msgpack/msgpack/dist.esm/index.mjs";
import { decodeBase64, isRecord } from "../../protocol/mod.ts";

/** One line of a {@linkcode World}'s trace. */
export interface TraceEntry {
  /** The time in milliseconds since the world began. */
  at: number;
  /** The connection, such as `client#2`, or whoever recorded the entry. */
  who: string;
  /** What happened: `opens`, `sends`, `receives`, `cut`, or what a test recorded. */
  what: string;
  /** The frame, as text: as JSON, whatever its format. */
  frame?: string;
}

/** Returns a frame as JSON text. A binary one is MessagePack, whose `data` is JSON text already. */
export function frameText(message: string | Uint8Array): string {
  if (typeof message === "string") return message;
  let frame: unknown;
  try {
    frame = decode(message);
  } catch {
    return `${message.length} bytes`;
  }
  const { data, ...head } = Object(frame) as Record<string, unknown>;
  const text = JSON.stringify(head);
  if (!(data instanceof Uint8Array)) return text;
  return `${text.slice(0, -1)},"data":${new TextDecoder().decode(data)}}`;
}

/**
 * Writes a trace entry as a line of text. White space and escapes in a frame are left out: a client
 * marks the inputs of its starts with them, at random.
 */
export function traceLine({ at, who, what, frame }: TraceEntry): string {
  return `${at} ${who} ${what}${frame === undefined ? "" : ` ${plainFrame(frame)}`}`;
}

function plainFrame(text: string): string {
  let frame: unknown;
  try {
    frame = JSON.parse(text);
  } catch {
    return JSON.stringify(text);
  }
  if (isRecord(frame) && isRecord(frame.data) && typeof frame.data.input === "string") {
    const { data } = frame;
    if ("run_id" in data || "id" in data) data.input = plainInput(data.input as string);
  }
  return JSON.stringify(frame);
}

/** The value of a run's input, which a record has as base64 of its text. */
function plainInput(base64: string): unknown {
  try {
    return JSON.parse(decodeBase64(base64));
  } catch {
    return base64;
  }
}

/** Hashes a trace. Traces of the same things have the same hash on every runtime. */
export function hashTrace(trace: readonly TraceEntry[]): string {
  // The order of unrelated things at one time may differ between runtimes.
  const sorted = trace.toSorted((a, b) =>
    a.at - b.at || (a.who < b.who ? -1 : a.who > b.who ? 1 : 0)
  );
  return hashLines(sorted.map(traceLine));
}

/** Hashes lines of text to 16 hexadecimal digits: FNV-1a, twice with different offsets. */
export function hashLines(lines: Iterable<string>): string {
  let a = 0x811c9dc5;
  let b = 0x01000193;
  for (const line of lines) {
    for (let i = 0; i < line.length; i++) {
      const code = line.charCodeAt(i);
      a = Math.imul(a ^ code, 0x01000193);
      b = Math.imul(b ^ code ^ 0x5a, 0x01000193) + i;
    }
    a = Math.imul(a ^ 10, 0x01000193);
    b = Math.imul(b ^ 13, 0x01000193);
  }
  return [a, b].map((part) => (part >>> 0).toString(16).padStart(8, "0")).join("");
}
