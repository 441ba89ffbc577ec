/**
 * A transcript is a recording of the messages between a server and its clients, as lines of JSON.
 * The first line is `{transcript, about}`: its name, and what it shows. The other lines are steps:
 *
 * - `{conn, open: true}`: a client opens a connection with the name `conn`.
 * - `{conn, send: frame}` and `{conn, text}`: the client sends a frame, or a message.
 * - `{conn, recv: frame}`: the client receives a frame. Responses must arrive in the order of their
 *   steps, and so must events; there is no order between the two. Other fields than those of the
 *   step must be absent, except `elapsed_ms`.
 * - `{conn, close}`: the `"client"` or the `"server"` closes the connection.
 * - `{wait: ms}`: the clients send nothing for this long.
 *
 * In received frames, `$time`, `$frame`, `$base64`, `$number` and `$ms` match any value of their
 * kind, and `$any` matches the rest of a text. `$job1`, `$run1`, `$event1` and `$session1` each
 * stand for the same value everywhere, also within text and in frames that are sent.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { isRecord } from "../../protocol/mod.ts";

/** A step of a transcript. */
export type Step =
  | { kind: "open"; conn: string; line: number }
  | { kind: "send"; conn: string; frame: unknown; line: number }
  | { kind: "text"; conn: string; text: string; line: number }
  | { kind: "recv"; conn: string; frame: Record<string, unknown>; line: number }
  | { kind: "close"; conn: string; by: "client" | "server"; line: number }
  | { kind: "wait"; ms: number; line: number };

/** A recording of the messages between a server and its clients. */
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
 * @throws {SyntaxError} If a line is not a valid step.
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
        throw new SyntaxError(`${file}:${line}: the first line has no 'transcript'`);
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
