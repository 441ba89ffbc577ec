import fc from "fast-check";
import { InTurn } from "./in_turn.ts";
import type { Program } from "./program.ts";
import { STRATA } from "./strata.ts";
import { type Leftover, MemoryCheck } from "./memory.ts";
import { runProgram, type Verdict } from "./run_program.ts";

/** A kind of programs. */
export interface Subject<P> {
  /** The options of `deno task simulate` that choose it. */
  readonly flags: string;
  /** Generate programs, each in turn. */
  readonly strata: readonly fc.Arbitrary<P>[];
  /** Runs a program and judges what happened. */
  run(program: P): Promise<Verdict>;
  /** Looks for memory that the programs since the last time have not given back. */
  findLeftovers?(): Promise<Leftover<P>[]>;
  /** Shows a program as text. */
  show(program: P): string;
}

const memory = new MemoryCheck<Program>();

/** Programs of clients. */
export const CLIENTS: Subject<Program> = {
  flags: "",
  strata: STRATA,
  run: (program) => runProgram(program, memory),
  findLeftovers: () => memory.findLeftovers(),
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

/** How many programs run between two garbage collections. */
const WINDOW = 25;

/** Runs random programs until one contradicts a rule; then looks for a smaller one that does. */
export async function search<P>(
  options: SearchOptions,
  subject: Subject<P>,
): Promise<SearchResult<P>> {
  const { seed, path, ms = Infinity, atLeast = 0, onProgram } = options;
  const start = performance.now();
  let ran = 0;
  const isDone = () =>
    ran >= options.programs || (performance.now() - start >= ms && ran >= atLeast);
  if (path !== undefined) {
    const failure = await findSmallest(subject, { ...options, path, seed }, onProgram);
    return { ran: 1, failure };
  }
  for (let batch = 0; !isDone(); batch++) {
    /** The positions in the batch of the programs whose memory has not been looked at. */
    const unchecked = new Map<P, number>();
    let failed: number | undefined;
    let position = 0;
    const checkMemory = async () => {
      const [first] = await subject.findLeftovers?.() ?? [];
      if (first) failed ??= unchecked.get(first.program);
      unchecked.clear();
    };
    const property = new InTurn(subject.strata, async (program) => {
      if (isDone() || failed !== undefined) return true;
      const verdict = await run(subject, program);
      ran++;
      onProgram?.(ran, verdict);
      unchecked.set(program, position);
      if (verdict.violations.length > 0) failed = position;
      else if (unchecked.size === WINDOW) await checkMemory();
      position++;
      return true;
    });
    await fc.check(property, { seed: seed + batch, numRuns: BATCH });
    if (failed === undefined) await checkMemory();
    if (failed === undefined) continue;
    const place = { seed: seed + batch, path: `${failed}` };
    const failure = await findSmallest(subject, { ...options, ...place });
    if (failure) return { ran, failure };
  }
  return { ran };
}

/** Runs one program again, and looks for a smaller one that contradicts a rule, too. */
async function findSmallest<P>(
  subject: Subject<P>,
  { seed, path, shrinks = true }: SearchOptions & { path: string },
  onProgram?: SearchOptions["onProgram"],
): Promise<SearchResult<P>["failure"]> {
  let end = Infinity;
  let last: { program: P; verdict: Verdict } | undefined;
  const property = new InTurn(subject.strata, async (program) => {
    if (performance.now() >= end) return true;
    const verdict = await judge(subject, program);
    if (end === Infinity) onProgram?.(1, verdict);
    if (verdict.violations.length === 0) return true;
    if (end === Infinity) end = performance.now() + SHRINK_TIME;
    last = { program, verdict };
    return false;
  });
  const details = await fc.check(property, { seed, path, numRuns: 1, endOnFailure: !shrinks });
  return details.failed ? { ...last!, seed, path: details.counterexamplePath! } : undefined;
}

/** Runs a program. One that comes to no end, or fails otherwise, contradicts the first rule. */
async function run<P>(subject: Subject<P>, program: P): Promise<Verdict> {
  try {
    return await subject.run(program);
  } catch (error) {
    const violation = `1: the program cannot be judged: ${(error as Error).message}`;
    return { violations: [violation], steps: 0, timeline: () => [], hash: () => "" };
  }
}

/** Runs a program and looks at its memory, too. */
export async function judge<P>(subject: Subject<P>, program: P): Promise<Verdict> {
  const verdict = await run(subject, program);
  const leftovers = await subject.findLeftovers?.() ?? [];
  const violations = [...verdict.violations, ...leftovers.map(({ violation }) => violation)];
  return { ...verdict, violations };
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
