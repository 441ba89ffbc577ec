import fc from "fast-check";
import { type Program, programs } from "./program.ts";
import { runProgram, type Verdict } from "./run_program.ts";

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
  /** Called after each program, before a failed one is made smaller. */
  onProgram?: (ran: number, verdict: Verdict) => void;
}

/** The outcome of {@linkcode search}. */
export interface SearchResult {
  /** How many programs ran. */
  ran: number;
  /** The smallest program that contradicts a rule, if any did. */
  failure?: { program: Program; verdict: Verdict; path: string };
}

/** How many milliseconds to look for a smaller program. */
const SHRINK_TIME = 30_000;

/** Runs random programs until one contradicts a rule; then looks for a smaller one that does. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { seed, path, ms = Infinity, atLeast = 0, onProgram } = options;
  let ran = 0;
  let hasFailed = false;
  const start = performance.now();
  let end = start + ms;
  const property = fc.asyncProperty(programs, async (program) => {
    if (performance.now() >= end && (hasFailed || ran >= atLeast)) return true;
    const verdict = await runProgram(program);
    if (!hasFailed) onProgram?.(++ran, verdict);
    if (verdict.violations.length === 0) return true;
    if (!hasFailed) end = performance.now() + SHRINK_TIME;
    hasFailed = true;
    return false;
  });
  const details = await fc.check(property, {
    seed,
    path,
    numRuns: path === undefined ? options.programs : 1,
    endOnFailure: false,
  });
  if (!details.failed) return { ran };
  const [program] = details.counterexample!;
  const verdict = await runProgram(program);
  return { ran, failure: { program, verdict, path: details.counterexamplePath! } };
}

/** Describes a failure: the seed, the smallest program, what it contradicts and what happened. */
export function describeFailure(seed: number, { failure }: SearchResult): string {
  const { program, verdict, path } = failure!;
  return [
    `deno task simulate --seed ${seed} --path ${path}`,
    "",
    "The program:",
    JSON.stringify(program, null, 1),
    "",
    "What happened:",
    ...verdict.timeline(),
    "",
    "What it contradicts:",
    ...verdict.violations,
    `trace ${verdict.hash()}`,
  ].join("\n");
}
