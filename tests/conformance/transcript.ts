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
 * - `{http: method, path, headers?, body?, status, type?, location?, absent?, recv?}`: a client sends
 *   an HTTP request, without following a redirect. `type` is the content type of the answer, `null`
 *   for none; `absent` are headers that it must not have; `recv` is its body: a JSON value, `{text}`,
 *   or `{twice: value}` for the same line of JSON two times. Without `recv` the body is empty.
 *
 * In what is received, `$time`, `$frame`, `$base64`, `$number` and `$ms` match any value of their
 * kind, and `$any` matches any value, or the rest of a text. `$job1`, `$run1`, `$event1`, `$cron1`,
 * `$dlq1` and `$session1` each stand for the same value everywhere, also within text and in what is
 * sent.
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
  | HttpStep
  | { kind: "wait"; ms: number; line: number };

/** An HTTP request, and what its answer must be. */
export interface HttpStep {
  kind: "http";
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
  status: number;
  type: string | null | undefined;
  location: string | undefined;
  absent: string[];
  recv: unknown;
  line: number;
}

/** A recording of the messages between a server and its clients. */
export interface Transcript {
  name: string;
  about: string;
  /** Whether it needs a server on which nothing has happened yet. */
  fresh: boolean;
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
  let head: Omit<Transcript, "steps"> | undefined;
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
      const about = String(value.about ?? "");
      head = { name: value.transcript, about, fresh: value.fresh === true };
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
  if (typeof value.http === "string") return toHttpStep(value, line);
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

function toHttpStep(value: Record<string, unknown>, line: number): HttpStep | undefined {
  const { http: method, path, headers = {}, body, status, type, location, absent = [] } = value;
  if (typeof path !== "string" || typeof status !== "number") return undefined;
  return {
    kind: "http",
    method: method as string,
    path,
    headers: headers as Record<string, string>,
    body,
    status,
    type: type as string | null | undefined,
    location: location as string | undefined,
    absent: absent as string[],
    recv: value.recv,
    line,
  };
}
