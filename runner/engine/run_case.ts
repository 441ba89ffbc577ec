import { startStopwatch } from "../events/deadline.ts";
import type { EventQuarantine } from "../events/event.ts";
import type { Recipe } from "../language/model.ts";
import type { RunnerClient } from "../steps/context.ts";
import { Case, type CaseOptions } from "./case.ts";
import { caseName } from "./case_names.ts";
import type { CaseResult } from "./verdict.ts";

/** A recipe with one combination of its matrix. */
export interface PlannedCase {
  /** The recipe. */
  recipe: Recipe;
  /** The name to show; by default that of the recipe, made unique among the cases of the run. */
  name?: string;
  /** The name of its row, if the recipe has `cases`. */
  row?: string;
  /** The values of its matrix. */
  matrix?: Record<string, unknown>;
  /** Values that replace those of the recipe's `vars`. */
  vars?: Record<string, unknown>;
  /** Returns a random number in the range [0, 1) for this case; that of the run by default. */
  random?: () => number;
}

/** Options of {@linkcode runCase}. */
export interface RunCaseOptions extends
  Omit<
    CaseOptions,
    "client" | "name" | "repeats" | "index" | "vars" | "matrix" | "attempt" | "quarantine"
  > {
  /** The connection, or why there is none: the case then ends as `errored`. */
  client: RunnerClient | Error;
  /** The names of all cases. */
  names: readonly string[];
  /** How often a case that does not pass is run anew. */
  retries?: number;
  /** When the run began, in milliseconds since 1970. */
  runBegan: number;
  /** The cases that run now. */
  running: Set<Case>;
}

/** How a case has ended. */
export interface CaseEnd extends CaseResult {
  /** The quarantine that it is in. */
  quarantine?: EventQuarantine | undefined;
}

/**
 * Runs a case, anew if it does not pass and may be retried, and reports it.
 *
 * @param index The number of the case in the run.
 */
export async function runCase(
  planned: PlannedCase,
  index: number,
  options: RunCaseOptions,
): Promise<CaseEnd> {
  const { client, names, retries = 0, running, runBegan, ...rest } = options;
  const { emit, signal, clock } = options;
  const about = { case: index, name: names[index]!, file: planned.recipe.source.name };
  if (client instanceof Error) return reportNotRun(planned, about, client, options);
  const quarantine = activeQuarantine(planned.recipe, runBegan);
  const elapsed = startStopwatch(clock);
  for (let attempt = 1;; attempt++) {
    const elapsedOfAttempt = startStopwatch(clock);
    const { recipe, matrix, vars = {}, random = options.random } = planned;
    const one = new Case(recipe, {
      ...{ ...rest, client, index, vars, matrix, random, attempt, quarantine },
      ...{ name: about.name, repeats: sharedName(planned, about.name) },
    });
    running.add(one);
    let result: CaseResult;
    try {
      result = await one.run();
    } finally {
      running.delete(one);
    }
    const { status, failure } = result;
    if (attempt <= retries && mayRetry(result) && !signal.aborted) {
      const why = failure ? { failure } : {};
      emit({
        type: "case.retried",
        ...about,
        ...{ attempt, status, duration_ms: elapsedOfAttempt(), ...why },
      });
      continue;
    }
    const { quarantine: declared } = recipe;
    if (declared && !quarantine && status !== "passed") {
      const text = `its quarantine ended (\`until: ${declared.until}\`), so it counts again`;
      emit({ type: "warning", case: index, text });
    }
    const flaky = result.flaky || (status === "passed" && attempt > 1);
    emit({
      type: "case.finished",
      ...about,
      duration_ms: elapsed(),
      ...result,
      flaky,
      ...(attempt > 1 ? { attempts: attempt } : {}),
      ...(quarantine ? { quarantine } : {}),
    });
    return { ...result, flaky, quarantine };
  }
}

/** The name that a case shares with others, if the one in reports is another. */
function sharedName(planned: PlannedCase, name: string): string | undefined {
  const shared = caseName(planned);
  return shared === name ? undefined : shared;
}

/** The quarantine of a recipe, unless it had ended when the run began. */
function activeQuarantine({ quarantine }: Recipe, began: number): EventQuarantine | undefined {
  if (!quarantine || quarantine.ends <= began) return undefined;
  const { until, reason } = quarantine;
  return { until, reason };
}

/** Whether another attempt could end otherwise: a recipe that checks nothing never passes. */
function mayRetry({ status, failure }: CaseResult): boolean {
  // A recipe that ends the process would do so again.
  return (status === "failed" || status === "errored") && failure?.code !== "exit_call";
}

/** Reports a case that cannot run because there is no connection. */
function reportNotRun(
  planned: PlannedCase,
  about: { case: number; name: string; file: string },
  { message }: Error,
  { emit }: RunCaseOptions,
): CaseEnd {
  const { recipe: { tags }, matrix, vars = {} } = planned;
  const repeats = sharedName(planned, about.name);
  const result: CaseResult = {
    status: "errored",
    flaky: false,
    failure: { kind: "connection", message, lines: [] },
  };
  emit({
    type: "case.started",
    ...about,
    ...(repeats === undefined ? {} : { repeats }),
    tags,
    vars,
    ...(matrix === undefined ? {} : { matrix }),
  });
  emit({ type: "case.finished", ...about, ...result, duration_ms: 0 });
  // A quarantine excuses what a recipe finds, and not that nothing could run.
  return result;
}
