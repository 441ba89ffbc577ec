import type { Clock } from "../../runtime/clock.ts";
import { withLongTimers } from "../../runtime/long_timers.ts";
import { ExitCallError, onExitCall } from "../../runtime/exit_calls.ts";
import { onUnhandled } from "../../runtime/process.ts";
import { startStopwatch } from "../events/deadline.ts";
import {
  type Emit,
  RECIPE_EVENT_VERSION,
  type RecipeEvent,
  type RunCounts,
  type RunIdentity,
  type Unstamped,
} from "../events/event.ts";
import { isExcused, toError } from "../events/failure.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { RunnerClient } from "../steps/context.ts";
import type { Case } from "./case.ts";
import { uniqueCaseNames } from "./case_names.ts";
import { Mask } from "./mask.ts";
import { SiblingLeftovers } from "./leftovers.ts";
import { type PlannedCase, runCase } from "./run_case.ts";
import { maskEvent } from "./mask_event.ts";
import type { ServerNames } from "./scopes.ts";
import type { OpenScript } from "./script_run.ts";
import { countCase, countSkipped, noCounts } from "../events/counts.ts";
import { endOfRun } from "./verdict.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** Options of {@linkcode runCases}. */
export interface RunOptions {
  /** The connection that all cases share. With an error instead, every case ends as `errored`. */
  client: RunnerClient | Error;
  /** Receives the events, with secrets masked. */
  report: (event: RecipeEvent) => void;
  /** The server's name in `run.started`. */
  server: string;
  /** What else `run.started` says about the run. */
  identity?: RunIdentity;
  /** The source of time. */
  clock: Clock;
  /** Virtual time, if the clock is one: it does not skip while the runner works. */
  virtual?: VirtualTime;
  /** Returns the real time since the run began in milliseconds, if the clock is virtual. */
  realElapsed?: () => number;
  /** Returns a random number in the range [0, 1). */
  random: () => number;
  /** Reads an environment variable. */
  env(name: string): string | undefined;
  /** Aborts when the run is interrupted. */
  signal: AbortSignal;
  /** Masks secrets, including those that the caller has added. */
  mask?: Mask;
  /** How many cases run at a time. */
  parallel?: number;
  /** How often a case that failed or could not be run is run anew; never by default. */
  retries?: number;
  /** Whether cases that passed only on a later attempt fail the run. */
  failOnFlaky?: boolean;
  /** Whether to stop starting cases after the first that does not pass. */
  bail?: boolean;
  /** A limit for the steps of each case, in milliseconds. */
  timeout?: number;
  /** Selects the steps to run; all by default. */
  select?: (step: Step) => boolean;
  /** What is known about the names of the server. */
  serverNames?: ServerNames;
  /** Prepares to run recipes in TypeScript; without it they cannot run. */
  openScript?: OpenScript;
}

/** The outcome of a run. */
export interface RunResult {
  /** The exit code for the process. */
  exitCode: number;
  /** The number of cases by outcome. */
  counts: RunCounts;
}

export type { PlannedCase };

/** Returns the cases of recipes: one for each row of `cases` and combination of `matrix`. */
export function planCases(recipes: readonly Recipe[]): PlannedCase[] {
  return recipes.flatMap((recipe) => {
    const combinations = recipe.matrix.length === 0
      ? [{}]
      : recipe.matrix.map((matrix) => ({ matrix }));
    const rows = recipe.rows?.map(({ name, values }) => ({ row: name, vars: values })) ?? [{}];
    return rows.flatMap((row) => combinations.map((matrix) => ({ recipe, ...row, ...matrix })));
  });
}

/** Runs cases over one client and reports them as a stream of events. */
export async function runCases(
  cases: readonly PlannedCase[],
  options: RunOptions,
): Promise<RunResult> {
  const { signal, mask = new Mask() } = options;
  const clock = withLongTimers(options.clock);
  const counts = noCounts();
  const emit: Emit = (event: Unstamped) => {
    if (event.type === "warning") counts.warnings++;
    const stamped = { ...event, ts: new Date(clock.now()).toISOString() } as RecipeEvent;
    options.report(maskEvent(stamped, mask));
  };
  const unique = uniqueCaseNames(cases);
  const names = cases.map(({ name }, i) => name ?? unique[i]!);
  const elapsed = startStopwatch(clock);
  const runBegan = clock.now();
  emit({
    type: "run.started",
    version: RECIPE_EVENT_VERSION,
    cases: cases.length,
    server: options.server,
    ...(options.virtual ? { clock: "virtual" as const } : {}),
    ...options.identity,
  });
  const { started, wasCalledToExit, isFlaky } = await runAll(cases, {
    ...options,
    clock,
    mask,
    emit,
    counts,
    names,
    runBegan,
  });
  for (const [index, planned] of cases.entries()) {
    if (index < started) continue;
    const reason = signal.aborted ? "interrupted" : "bail";
    countSkipped(counts, { reason });
    emit({ type: "case.skipped", ...about(planned, index, names), reason });
  }
  const { exit_code, ...why } = endOfRun(counts, {
    isInterrupted: signal.aborted,
    wasCalledToExit,
    isPart: options.identity?.shard !== undefined,
    isFailedByFlaky: isFlaky && options.failOnFlaky,
  });
  emit({
    type: "run.finished",
    exit_code,
    interrupted: signal.aborted,
    duration_ms: elapsed(),
    ...(options.realElapsed ? { real_ms: options.realElapsed() } : {}),
    counts,
    ...why,
  });
  return { exitCode: exit_code, counts };
}

interface Running extends RunOptions {
  /** When the run began, in milliseconds since 1970. */
  runBegan: number;
  /** The names of all cases. */
  names: readonly string[];
  mask: Mask;
  emit: Emit;
  counts: RunCounts;
}

/** The outcome of running all cases. */
interface AllResult {
  /** How many cases were started. */
  started: number;
  /** Whether code of a recipe has called a function that ends the process. */
  wasCalledToExit: boolean;
  /** Whether a case that is not in quarantine was flaky. */
  isFlaky: boolean;
}

/** Runs cases, `parallel` at a time. */
async function runAll(cases: readonly PlannedCase[], options: Running): Promise<AllResult> {
  const { client, signal, emit, counts } = options;
  const running = new Set<Case>();
  let wasCalledToExit = false;
  let isFlaky = false;
  const crash = (error: Error, text: string) => {
    const owners = ownersOf(error, running);
    if (owners.length === 0) emit({ type: "warning", text });
    for (const one of owners) one.crash(error);
  };
  const stopListening = [
    onUnhandled((cause) => {
      // The error of such a call has been reported already.
      if (cause instanceof ExitCallError) return;
      const error = toError(cause);
      crash(error, `unhandled error: ${error.message}`);
    }),
  ];
  // Deno takes 13 ms to load `process`, whose functions are replaced.
  if (cases.some(({ recipe }) => recipe.script)) {
    stopListening.push(onExitCall((error) => {
      wasCalledToExit = true;
      crash(error, `${error.message}; the recipe had ended before`);
    }));
  }
  let next = 0;
  let bailed = false;
  const workers = Math.max(1, Math.min(options.parallel ?? 1, cases.length));
  const siblings = workers > 1 ? new SiblingLeftovers() : undefined;
  const worker = async () => {
    while (next < cases.length && !bailed && !signal.aborted) {
      const index = next++;
      const result = await runCase(cases[index]!, index, { ...options, siblings, running });
      countCase(counts, result);
      if (result.flaky && !result.quarantine) isFlaky = true;
      if (options.bail && result.status !== "passed" && !isExcused(result)) bailed = true;
    }
  };
  try {
    await Promise.all(Array.from({ length: workers }, worker));
    if (siblings && !(client instanceof Error)) {
      for (const text of await siblings.warnings(client, options.clock)) {
        emit({ type: "warning", text });
      }
    }
  } finally {
    for (const stop of stopListening) stop();
  }
  return { started: next, wasCalledToExit, isFlaky };
}

/**
 * Returns the running cases that an error outside their steps belongs to: those whose module is in
 * its stack, otherwise all recipes in TypeScript, otherwise all.
 */
function ownersOf(error: Error, running: ReadonlySet<Case>): Case[] {
  const all = [...running];
  const named = all.filter((one) => one.isInStackOf(error));
  if (named.length > 0) return named;
  const scripts = all.filter((one) => one.isScript);
  return scripts.length > 0 ? scripts : all;
}

function about({ recipe }: PlannedCase, index: number, names: readonly string[]) {
  return { case: index, name: names[index]!, file: recipe.source.name };
}
