import { DatabaseSync } from "node:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HistoryOptions } from "../../runner/history/database.ts";
import type { StoredRun } from "../../runner/history/store.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** The time of recorded runs and quarantined files. */
export const NOW = Date.parse("2026-11-24T09:00:00.123Z");

/** Calls `use` with a new directory and removes it afterwards. */
export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "history-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Options to open a history with, which collect its warnings. */
export function options(warnings: string[] = [], clock = new FakeClock(NOW)): HistoryOptions {
  return { create: true, clock, warn: (text) => void warnings.push(text) };
}

/** A recorded run with one step; it passed unless `more` says otherwise. */
export function storedRun(duration_ms: number, more: Partial<StoredRun> = {}): StoredRun {
  return {
    at: NOW,
    status: "passed",
    flaky: false,
    duration_ms,
    steps: [{
      phase: "steps",
      number: "1",
      label: "sleep 1ms",
      status: "passed",
      attempts: 1,
      duration_ms,
    }],
    ...more,
  };
}

/** Queries a database over a separate connection. */
export function query(file: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file);
  try {
    return database.prepare(sql).all().map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}
