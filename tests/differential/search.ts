import fc from "fast-check";
import { compare, type Difference } from "./compare.ts";
import { type Outcome, runSequence } from "./run_sequence.ts";
import type { Sequence } from "./sequence.ts";
import { sequences } from "./sequences.ts";
import { Side } from "./side.ts";

/** Settings of {@linkcode search}. */
export interface SearchOptions {
  /** The addresses of the servers; the first one is right. */
  urls: readonly [string, string];
  seed: number;
  runs: number;
  /** Where in the search for a smaller sequence to begin, as a failed search printed it. */
  path?: string;
  /**
   * How often a sequence must differ in order to count.
   * @default {3}
   */
  tries?: number;
  /**
   * How many milliseconds to look for a smaller sequence.
   * @default {30000}
   */
  shrinkMs?: number;
  /** Called after each sequence, before one that differs is made smaller. */
  onRun?: (ran: number) => void;
}

/** A sequence in which the servers differ, made small. */
export interface Found {
  readonly sequence: Sequence;
  readonly difference: Difference;
  readonly outcomes: readonly [Outcome, Outcome];
  readonly path: string;
}

/** The outcome of {@linkcode search}. */
export interface SearchResult {
  /** How many sequences ran. */
  ran: number;
  /** How many exchanges they had. */
  exchanges: number;
  /** How many events came. */
  events: number;
  /** Those that differed once and not again. */
  unsteady: Omit<Found, "path">[];
  /** How many could not be sent once, and could then. */
  broken: number;
  found?: Found;
}

/** Runs random sequences against two servers until they differ; then looks for a smaller one. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { urls, seed, path, tries: limit = 3, shrinkMs = 30_000, onRun } = options;
  const sides = [new Side("first", urls[0]), new Side("second", urls[1])] as const;
  const result: SearchResult = {
    ran: 0,
    exchanges: 0,
    events: 0,
    unsteady: [],
    broken: 0,
  };
  let executions = 0;
  let found: Omit<Found, "path"> | undefined;
  let end = Infinity;

  const differs = async (sequence: Sequence): Promise<Omit<Found, "path"> | undefined> => {
    let last: Omit<Found, "path"> | undefined;
    for (let tries = 0; tries < limit; tries++) {
      // Unique between processes, too, because a real server remembers the keys.
      const execution = seed * 100_000 + ++executions;
      const [first, second] = await Promise.allSettled(
        sides.map((side) => runSequence(side, sequence, execution)),
      );
      if (first!.status === "rejected" || second!.status === "rejected") {
        result.broken++;
        for (const side of sides) side.close();
        if (tries < limit - 1) continue;
        end = Math.min(end, performance.now() + shrinkMs);
        const cause = first!.status === "rejected"
          ? first!.reason
          : (second as PromiseRejectedResult).reason;
        throw new Error(`cannot send ${JSON.stringify(sequence)}: ${cause}`, { cause });
      }
      const outcomes = [first!.value, second!.value] as const;
      const difference = compare(...outcomes);
      if (!found && !last) {
        result.exchanges += outcomes[0].exchanges.length;
        for (const { events } of outcomes[0].received) result.events += events.length;
      }
      if (!difference) {
        if (last) result.unsteady.push(last);
        return undefined;
      }
      last = { sequence, difference, outcomes };
    }
    return last;
  };

  try {
    const property = fc.asyncProperty(sequences, async (sequence) => {
      if (performance.now() > end) return true;
      const differing = await differs(sequence);
      if (!found) {
        result.ran++;
        onRun?.(result.ran);
      }
      if (!differing) return true;
      if (!found) end = performance.now() + shrinkMs;
      found = differing;
      return false;
    });
    const details = await fc.check(property, {
      seed,
      path,
      numRuns: path === undefined ? options.runs : 1,
      endOnFailure: false,
    });
    if (details.errorInstance && !found) throw details.errorInstance;
    if (found) result.found = { ...found, path: details.counterexamplePath ?? "" };
    return result;
  } finally {
    for (const side of sides) side.close();
  }
}
