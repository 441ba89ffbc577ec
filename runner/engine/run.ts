import type { Clock } from "../../runtime/clock.ts";
import { onUnhandled } from "../../runtime/process.ts";
import type { Recipe, Step } from "../language/model.ts";
import { toError } from "../events/failure.ts";
import type { RunnerClient } from "../steps/kind.ts";
import { Case, caseName } from "./case.ts";
import type { CaseResult } from "./case.ts";
import {
  type CaseStatus,
  type Emit,
  RUN_EVENT_VERSION,
  type RunCounts,
  type RunEvent,
  type Unstamped,
} from "../events/event.ts";
import { withLongTimers } from "../../runtime/long_timers.ts";
import { Mask } from "./mask.ts";
import { maskEvent } from "./mask_event.ts";

/** A recipe with one combination of its matrix. */
export interface PlannedCase {
  /** The recipe. */
  recipe: Recipe;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
  /** Values that replace those of the recipe's `vars`. */
  vars?: Record<string, unknown>;
  /** Numbers of its own, from 0 up to, not including, 1; those of the run when it has none. */
  random?: () => number;
}

/** Settings of {@linkcode runCases}. */
export interface RunOptions {
  /** The connection all cases share, or why there is none: then no case can be run. */
  client: RunnerClient | Error;
  /** Where events go, masked. */
  report: (event: RunEvent) => void;
  /** What `run.started` says of the server. */
  server: string;
  /** Where time comes from. */
  clock: Clock;
  /** Gives numbers from 0 up to, not including, 1. */
  random: () => number;
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** Aborted when the run is interrupted. */
  signal: AbortSignal;
  /** Hides secrets; those of the caller can be in it already. */
  mask?: Mask;
  /** How many cases run at a time. */
  parallel?: number;
  /** Whether the first case that does not pass is the last to begin. */
  bail?: boolean;
  /** A limit for the steps of each case, in milliseconds. */
  timeout?: number;
  /** Which steps run. */
  select?: (step: Step) => boolean;
}

/** How a run ended. */
export interface RunResult {
  /** What the process should exit with. */
  exitCode: number;
  /** The counts. */
  counts: RunCounts;
}

/** The cases of recipes: one for each combination of a recipe's matrix. */
export function planCases(recipes: readonly Recipe[]): PlannedCase[] {
  return recipes.flatMap((recipe) =>
    recipe.matrix.length === 0 ? [{ recipe }] : recipe.matrix.map((matrix) => ({ recipe, matrix }))
  );
}

/** Runs cases over one client, and tells all of it as events. */
export async function runCases(
  cases: readonly PlannedCase[],
  options: RunOptions,
): Promise<RunResult> {
  const { client, signal, server, mask = new Mask() } = options;
  const clock = withLongTimers(options.clock);
  const began = clock.now();
  const counts: RunCounts = {
    passed: 0,
    failed: 0,
    errored: 0,
    unchecked: 0,
    interrupted: 0,
    skipped: 0,
    flaky: 0,
    warnings: 0,
  };
  const emit: Emit = (event: Unstamped) => {
    if (event.type === "warning") counts.warnings++;
    const stamped = { ...event, ts: new Date(clock.now()).toISOString() } as RunEvent;
    options.report(maskEvent(stamped, mask));
  };
  emit({ type: "run.started", version: RUN_EVENT_VERSION, cases: cases.length, server });
  const atWork = new Set<Case>();
  const stopListening = onUnhandled((cause) => {
    const error = toError(cause);
    if (atWork.size === 0) emit({ type: "warning", text: `nobody handled: ${error.message}` });
    for (const one of atWork) one.crash(error);
  });
  let next = 0;
  let stopped = false;
  const worker = async () => {
    while (next < cases.length && !stopped && !signal.aborted) {
      const index = next++;
      const result = client instanceof Error
        ? cannotRun(cases[index]!, index, client, emit)
        : await runOne(cases[index]!, index, { ...options, client, clock }, emit, mask, atWork);
      counts[result.status]++;
      if (result.flaky) counts.flaky++;
      if (options.bail && result.status !== "passed") stopped = true;
    }
  };
  const lanes = Math.max(1, Math.min(options.parallel ?? 1, cases.length));
  await Promise.all(Array.from({ length: lanes }, worker));
  const reason = signal.aborted ? "interrupted" : "bail";
  for (; next < cases.length; next++) {
    counts[signal.aborted ? "interrupted" : "skipped"]++;
    const planned = cases[next]!;
    const file = planned.recipe.source.name;
    emit({ type: "case.skipped", case: next, name: caseName(planned), file, reason });
  }
  stopListening();
  const exitCode = exitCodeOf(counts, signal.aborted);
  emit({
    type: "run.finished",
    exit_code: exitCode,
    interrupted: signal.aborted,
    duration_ms: clock.now() - began,
    counts,
  });
  return { exitCode, counts };
}

async function runOne(
  planned: PlannedCase,
  index: number,
  options: RunOptions & { client: RunnerClient },
  emit: Emit,
  mask: Mask,
  atWork: Set<Case>,
): Promise<CaseResult> {
  const { client, clock, random, signal, env, timeout, select } = options;
  const one = new Case(planned.recipe, {
    index,
    client,
    clock,
    random: planned.random ?? random,
    emit,
    mask,
    signal,
    env,
    vars: planned.vars ?? {},
    ...(planned.matrix === undefined ? {} : { matrix: planned.matrix }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(select === undefined ? {} : { select }),
  });
  atWork.add(one);
  try {
    return await one.run();
  } finally {
    atWork.delete(one);
  }
}

/** Tells that a case could not be run, because there is no connection. */
function cannotRun(
  planned: PlannedCase,
  index: number,
  { message }: Error,
  emit: Emit,
): CaseResult {
  const { recipe, matrix, vars = {} } = planned;
  const about = { case: index, name: caseName(planned), file: recipe.source.name };
  const result: CaseResult = {
    status: "errored",
    flaky: false,
    failure: { kind: "connection", message, lines: [] },
  };
  const { tags } = recipe;
  emit({ type: "case.started", ...about, tags, vars, ...(matrix === undefined ? {} : { matrix }) });
  emit({ type: "case.finished", ...about, ...result, duration_ms: 0 });
  return result;
}

/** What a process exits with: what is worst decides. */
function exitCodeOf(counts: Record<CaseStatus, number>, interrupted: boolean): number {
  if (interrupted) return 130;
  if (counts.failed > 0) return 1;
  if (counts.errored > 0) return 3;
  return counts.passed === 0 || counts.unchecked > 0 ? 4 : 0;
}
