/**
 * A transcript is a recording of what a server and its clients said to each other: JSON, one value
 * a line. The first line is `{transcript, about}`, its name and what it shows. The others are steps:
 *
 * - `{conn, open: true}`: a client opens a connection and calls it `conn`.
 * - `{conn, send: frame}` and `{conn, text}`: it sends a frame, or a message as it is.
 * - `{conn, recv: frame}`: a frame comes. Answers come in the order written and so do events; between
 *   the two there is no order. Fields that are not written must be absent, `elapsed_ms` aside.
 * - `{conn, close}`: the `"client"` or the `"server"` ends the connection.
 * - `{wait: ms}`: nothing is sent for so long.
 *
 * In frames that come, `$time`, `$frame`, `$base64`, `$number` and `$ms` stand for any value of their
 * kind, and `$any` for the rest of a text. `$job1`, `$run1`, `$event1` and `$session1` stand for one
 * value each, the same wherever they are written, also inside of text and in what is sent.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

/** One line of a transcript after its first. */
export type Step =
  | { kind: "open"; conn: string; line: number }
  | { kind: "send"; conn: string; frame: unknown; line: number }
  | { kind: "text"; conn: string; text: string; line: number }
  | { kind: "recv"; conn: string; frame: Record<string, unknown>; line: number }
  | { kind: "close"; conn: string; by: "client" | "server"; line: number }
  | { kind: "wait"; ms: number; line: number };

/** A recording of what a server and its clients said to each other. */
export interface Transcript {
  name: string;
  about: string;
  steps: Step[];
}

/** Reads a transcript from a file. */
export async function readTranscript(path: string | URL): Promise<Transcript> {
  return parseTranscript(await readFile(path, "utf8"), basename(String(path)));
}

/**
 * Parses a transcript.
 * @throws {SyntaxError} When a line says nothing that a transcript can say.
 */
export function parseTranscript(text: string, file: string): Transcript {
  const lines = text.split("\n");
  let head: { name: string; about: string } | undefined;
  const steps: Step[] = [];
  for (const [index, content] of lines.entries()) {
    if (content.trim() === "") continue;
    const line = index + 1;
    const value: unknown = JSON.parse(content);
    if (!isRecord(value)) throw new SyntaxError(`${file}:${line}: not an object`);
    if (head === undefined) {
      if (typeof value.transcript !== "string") {
        throw new SyntaxError(`${file}:${line}: the first line names no transcript`);
      }
      head = { name: value.transcript, about: String(value.about ?? "") };
      continue;
    }
    const step = toStep(value, line);
    if (step === undefined) throw new SyntaxError(`${file}:${line}: unknown step ${content}`);
    steps.push(step);
  }
  if (head === undefined) throw new SyntaxError(`${file}: empty`);
  return { ...head, steps };
}

function toStep(value: Record<string, unknown>, line: number): Step | undefined {
  if (typeof value.wait === "number") return { kind: "wait", ms: value.wait, line };
  const { conn } = value;
  if (typeof conn !== "string") return undefined;
  if (value.open === true) return { kind: "open", conn, line };
  if ("send" in value) return { kind: "send", conn, frame: value.send, line };
  if (typeof value.text === "string") return { kind: "text", conn, text: value.text, line };
  if (isRecord(value.recv)) return { kind: "recv", conn, frame: value.recv, line };
  if (value.close === "client" || value.close === "server") {
    return { kind: "close", conn, by: value.close, line };
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
