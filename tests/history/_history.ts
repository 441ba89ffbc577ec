import { DatabaseSync } from "node:sqlite";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { OpenOptions } from "../../runner/history/database.ts";
import type { KeptRun } from "../../runner/history/store.ts";

/** When what is set aside here was set aside. */
export const NOW = Date.parse("2026-11-24T09:00:00.123Z");

/** Calls back with a new directory, and removes it. */
export async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "history-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Options to open a history with, which collect what is told. */
export function options(told: string[] = []): OpenOptions {
  return { create: true, now: NOW, tell: (text) => void told.push(text) };
}

/** A run that passed. */
export function keptRun(duration_ms: number, more: Partial<KeptRun> = {}): KeptRun {
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

/** Asks a database something by another connection than the one under test. */
export function query(file: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(file);
  try {
    return database.prepare(sql).all().map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}
