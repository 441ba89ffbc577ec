import type { Clock } from "../../../runtime/clock.ts";
import { HealthStore } from "../../health/health_store.ts";
import type { KeepLimits } from "../../health/keep.ts";
import { UsageError } from "../args.ts";
import type { HealthLog } from "./log.ts";

/** How long the end of a schedule waits for alerts and heartbeats, in milliseconds. */
const LAST_WORDS = 5_000;

/** Settings of {@linkcode openStore}. */
export interface OpenStoreOptions {
  /** The clock. */
  clock: Clock;
  /** Returns random numbers from 0 up to, not including, 1. */
  random: () => number;
  /** How long and how much is kept. */
  keep: KeepLimits;
  /** Where problems of the file are told. */
  log: HealthLog;
}

/**
 * Opens what a schedule remembers, in a history or, without a path, in memory.
 * @throws {UsageError} If the file is no history, or a newer one.
 */
export async function openStore(
  path: string | undefined,
  { clock, random, keep, log }: OpenStoreOptions,
): Promise<HealthStore> {
  const sender = `${Math.floor(random() * 2 ** 32).toString(36)}-${clock.now().toString(36)}`;
  const opening = { clock, keep, sender, warn: (text: string) => log.warn(text) };
  return await HealthStore.open(path, opening).catch((error: Error) => {
    throw new UsageError(error.message);
  });
}

/** Waits for what is still told; it has five seconds until it is given up. */
export async function hearLastWords(
  told: Promise<unknown>,
  clock: Clock,
  giveUp: AbortController,
): Promise<void> {
  const timer = clock.setTimeout(() => giveUp.abort(), LAST_WORDS);
  await told;
  clock.clearTimeout(timer);
}
