/**
 * Replays transcripts against a server, one after the other:
 * `deno run -A tests/conformance/replay.ts ws://127.0.0.1:8787/dwp [files…]`. Use a fresh server,
 * because one transcript may leave runs behind that another one sees.
 *
 * @module
 */
import { readdir } from "node:fs/promises";
import process from "node:process";
import { Connection, type RawFrame } from "./connection.ts";
import { requestHttp } from "./http_step.ts";
import { type Bindings, mismatch, substitute } from "./match.ts";
import { realTime, type ReplayTime } from "./replay_time.ts";
import { readTranscript, type Step, type Transcript } from "./transcript.ts";

/** Settings of {@linkcode replay}. */
export interface ReplayOptions {
  /**
   * How time passes.
   * @default {realTime}
   */
  time?: ReplayTime;
  /**
   * How long to wait for a frame, in milliseconds.
   * @default {15000}
   */
  timeout?: number;
  /**
   * How long to wait for unexpected frames before closing a connection, in milliseconds.
   * @default {60}
   */
  settle?: number;
  /**
   * Whether `job.enqueued` and `cron.fired` may come before or after their neighbours. Go servers
   * wake their workers before they publish them, and on a busy machine a worker may be faster.
   */
  lateEnqueued?: boolean;
}

/** The folder of the transcripts. */
export const TRANSCRIPTS: URL = new URL("../transcripts/", import.meta.url);

/** The folder of the transcripts of the admin API. */
export const ADMIN_TRANSCRIPTS: URL = new URL("admin/", TRANSCRIPTS);

/** Lists the files of the transcripts in a folder. */
export async function transcriptFiles(folder: URL = TRANSCRIPTS): Promise<URL[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  return names.sort().map((name) => new URL(name, folder));
}

/**
 * Sends the messages of a transcript's clients to a server and checks what the server sends.
 * @throws {Error} If the server deviates from the transcript; the message names the line.
 */
export async function replay(
  url: string,
  transcript: Transcript,
  options: ReplayOptions = {},
): Promise<void> {
  const { time = realTime, timeout = 15_000, settle = 60, lateEnqueued = false } = options;
  const connections = new Map<string, Connection>();
  const bindings: Bindings = new Map();

  const run = async (step: Step): Promise<void> => {
    if (step.kind === "wait") return await time.pass(step.ms);
    if (step.kind === "http") return await requestHttp(url, step, bindings);
    if (step.kind === "open") {
      connections.set(step.conn, await Connection.open(url, time));
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
        const kind = step.frame.type === "event" ? "event" : "response";
        const isLate = isEnqueued(step.frame);
        const matches = lateEnqueued
          ? (frame: RawFrame) => isEnqueued(frame) === isLate
          : undefined;
        const frame = await connection.next(kind, timeout, matches);
        const difference = mismatch(step.frame, frame, bindings);
        if (difference === undefined) return;
        throw new Error(`${difference}\n    received: ${JSON.stringify(frame)}`);
      }
      case "close":
        if (step.by === "server") await connection.closedByServer(timeout);
        else await time.pass(settle);
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
        const conn = "conn" in step ? ` (${step.conn} ${step.kind})` : "";
        throw new Error(`${transcript.name}:${step.line}${conn}: ${reason}`, { cause });
      }
    }
    if (connections.size > 0) await time.pass(settle);
    for (const connection of connections.values()) connection.expectNothingMore();
  } finally {
    for (const connection of connections.values()) connection.close();
  }
}

function isEnqueued({ data }: RawFrame): boolean {
  const { type } = Object(data) as { type?: unknown };
  return type === "job.enqueued" || type === "cron.fired";
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
  // A socket that waits for a busy server would keep the process alive.
  process.exit(await main(url, files.length > 0 ? files : await transcriptFiles()) ? 0 : 1);
}
