import { CanceledError } from "./errors.ts";
import type { Timers } from "./timers.ts";

/** How many tasks start before the event loop gets a turn. */
const BATCH = 64;

/** Settings of {@linkcode runTaskGroup}. */
export interface TaskGroupOptions {
  /** Aborts all tasks. */
  signal: AbortSignal;
  timers: Timers;
}

/**
 * Runs one task for each item, all at the same time. The first failure aborts the signal of the
 * others.
 * @returns The first failure, after all tasks have ended.
 */
export async function runTaskGroup<T>(
  items: readonly T[],
  { signal, timers }: TaskGroupOptions,
  task: (item: T, index: number, signal: AbortSignal) => Promise<void>,
): Promise<{ error: unknown } | undefined> {
  const controller = new AbortController();
  const taskSignal = AbortSignal.any([signal, controller.signal]);
  const tasks: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  for (const [index, item] of items.entries()) {
    if (index > 0 && index % BATCH === 0) await timers.yield();
    tasks.push(
      task(item, index, taskSignal).catch((error: unknown) => {
        failure ??= { error };
        controller.abort(new CanceledError());
      }),
    );
  }
  await Promise.all(tasks);
  return failure;
}
