/**
 * Replays transcripts against a server:
 * `deno run -A tests/conformance/replay.ts ws://127.0.0.1:8787/dwp [files…]`, one after the other.
 * What one transcript leaves running may show in the next, so the server should be fresh.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection } from "./connection.ts";
import { type Bindings, mismatch, substitute } from "./match.ts";
import { readTranscript, type Step, type Transcript } from "./transcript.ts";

/** How long a replay waits. */
export interface ReplayOptions {
  /** For a frame, in milliseconds. */
  timeout?: number;
  /** For a frame that must not come, before a connection is closed, in milliseconds. */
  settle?: number;
  /**
   * Whether `job.enqueued` may come after `job.started`. Go servers wake their workers before they
   * send it, and on a busy machine a worker is faster.
   */
  lateEnqueued?: boolean;
}

/** Where the project's transcripts are. */
export const TRANSCRIPTS: URL = new URL("../transcripts/", import.meta.url);

/** The files of the project's transcripts. */
export async function transcriptFiles(): Promise<URL[]> {
  const names = (await readdir(TRANSCRIPTS)).filter((name) => name.endsWith(".jsonl"));
  return names.sort().map((name) => new URL(name, TRANSCRIPTS));
}

/**
 * Plays a transcript's clients against a server and holds the server to its part.
 * @throws {Error} When the server says something else; the message names the line.
 */
export async function replay(
  url: string,
  transcript: Transcript,
  options: ReplayOptions = {},
): Promise<void> {
  const { timeout = 15_000, settle = 60, lateEnqueued = false } = options;
  const connections = new Map<string, Connection>();
  const bindings: Bindings = new Map();

  const run = async (step: Step): Promise<void> => {
    if (step.kind === "wait") return await sleep(step.ms);
    if (step.kind === "open") {
      connections.set(step.conn, await Connection.open(url, timeout));
      return;
    }
    const connection = connections.get(step.conn);
    if (connection === undefined) throw new Error("the connection was never opened");
    switch (step.kind) {
      case "send":
        return connection.send(JSON.stringify(substitute(step.frame, bindings)));
      case "text":
        return connection.send(String(substitute(step.text, bindings)));
      case "recv": {
        const kind = step.frame.type === "event" ? "event" : "answer";
        const isLate = lateEnqueued && isEnqueued(step.frame);
        const frame = await connection.next(kind, timeout, isLate ? isEnqueued : undefined);
        const found = mismatch(step.frame, frame, bindings);
        if (found === undefined) return;
        throw new Error(`${found}\n    came: ${JSON.stringify(frame)}`);
      }
      case "close":
        if (step.by === "server") await connection.closedByServer(timeout);
        else await sleep(settle);
        connection.expectNothingMore();
        connection.close();
        connections.delete(step.conn);
    }
  };

  try {
    for (const step of transcript.steps) {
      try {
        await run(step);
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        const conn = step.kind === "wait" ? "" : ` (${step.conn} ${step.kind})`;
        throw new Error(`${transcript.name}:${step.line}${conn}: ${reason}`, { cause });
      }
    }
    if (connections.size > 0) await sleep(settle);
    for (const connection of connections.values()) connection.expectNothingMore();
  } finally {
    for (const connection of connections.values()) connection.close();
  }
}

function isEnqueued({ data }: Record<string, unknown>): boolean {
  return (data as { type?: unknown } | undefined)?.type === "job.enqueued";
}

async function main(url: string, files: (string | URL)[]): Promise<boolean> {
  let failed = 0;
  for (const file of files) {
    const transcript = await readTranscript(file);
    const start = performance.now();
    try {
      await replay(url, transcript, { lateEnqueued: true });
      process.stdout.write(`ok   ${transcript.name} ${Math.round(performance.now() - start)} ms\n`);
    } catch (error) {
      failed++;
      process.stdout.write(`FAIL ${(error as Error).message}\n`);
    }
  }
  process.stdout.write(`${files.length - failed} passed, ${failed} failed\n`);
  return failed === 0;
}

if (import.meta.main) {
  const [url, ...files] = process.argv.slice(2);
  if (url === undefined) {
    process.stderr.write("usage: replay.ts ws://127.0.0.1:8787/dwp [files…]\n");
    process.exit(2);
  }
  // A socket whose server is busy would keep the process alive.
  process.exit(await main(url, files.length > 0 ? files : await transcriptFiles()) ? 0 : 1);
}
