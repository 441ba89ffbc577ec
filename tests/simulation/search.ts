import fc from "fast-check";
import { type Program, programs } from "./program.ts";
import { runProgram, type Verdict } from "./run_program.ts";

/** A kind of programs. */
export interface Subject<P> {
  /** The options of `deno task simulate` that choose it. */
  readonly flags: string;
  /** Generates programs. */
  readonly programs: fc.Arbitrary<P>;
  /** Runs a program and judges what happened. */
  run(program: P): Promise<Verdict>;
  /** Shows a program as text. */
  show(program: P): string;
}

/** Programs of clients. */
export const CLIENTS: Subject<Program> = {
  flags: "",
  programs,
  run: runProgram,
  show: (program) => JSON.stringify(program, null, 1),
};

/** Settings of {@linkcode search}. */
export interface SearchOptions {
  seed: number;
  /** Where in the search for a smaller program to begin, as a failed search printed it. */
  path?: string;
  /** The most programs to run. */
  programs: number;
  /** The most milliseconds that it may take, not counting the search for a smaller program. */
  ms?: number;
  /** How many programs to run even if that takes longer. */
  atLeast?: number;
  /**
   * Whether to look for a smaller program that fails.
   * @default {true}
   */
  shrinks?: boolean;
  /** Called after each program, before a failed one is made smaller. */
  onProgram?: (ran: number, verdict: Verdict) => void;
}

/** The outcome of {@linkcode search}. */
export interface SearchResult<P> {
  /** How many programs ran. */
  ran: number;
  /** The smallest program that contradicts a rule, if any did, and how to find it again. */
  failure?: { program: P; verdict: Verdict; seed: number; path: string };
}

/** How many programs share a seed. The next ones have the next seed. */
const BATCH = 200;

/** How many milliseconds to look for a smaller program. */
const SHRINK_TIME = 30_000;

/** Runs random programs until one contradicts a rule; then looks for a smaller one that does. */
export async function search<P>(
  options: SearchOptions,
  subject: Subject<P>,
): Promise<SearchResult<P>> {
  const { seed, path, ms = Infinity, atLeast = 0, shrinks = true, onProgram } = options;
  const start = performance.now();
  let ran = 0;
  const isDone = () =>
    ran >= options.programs || (performance.now() - start >= ms && ran >= atLeast);
  for (let batch = 0;; batch++) {
    let shrinkEnd = Infinity;
    const property = fc.asyncProperty(subject.programs, async (program) => {
      const hasFailed = shrinkEnd < Infinity;
      if (hasFailed ? performance.now() >= shrinkEnd : isDone()) return true;
      const verdict = await subject.run(program);
      if (!hasFailed) {
        ran++;
        onProgram?.(ran, verdict);
      }
      if (verdict.violations.length === 0) return true;
      if (!hasFailed) shrinkEnd = performance.now() + SHRINK_TIME;
      return false;
    });
    const numRuns = path === undefined ? BATCH : 1;
    const details = await fc.check(property, {
      seed: seed + batch,
      path,
      numRuns,
      endOnFailure: !shrinks,
    });
    if (details.failed) {
      const [program] = details.counterexample!;
      const verdict = await subject.run(program);
      const place = { seed: seed + batch, path: details.counterexamplePath! };
      return { ran, failure: { program, verdict, ...place } };
    }
    if (isDone() || path !== undefined) return { ran };
  }
}

/** Describes a failure: the seed, the smallest program, what it contradicts and what happened. */
export function describeFailure<P>({ failure }: SearchResult<P>, subject: Subject<P>): string {
  const { program, verdict, seed, path } = failure!;
  return [
    `deno task simulate${subject.flags} --seed ${seed} --path ${path}`,
    "",
    "The program:",
    subject.show(program),
    "",
    "What happened:",
    ...verdict.timeline(),
    "",
    "What it contradicts:",
    ...verdict.violations,
    `trace ${verdict.hash()}`,
  ].join("\n");
}
