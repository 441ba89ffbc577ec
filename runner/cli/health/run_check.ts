import type { Mask } from "../../engine/mask.ts";
import { EXIT_CODES } from "../../engine/verdict.ts";
import type { EventFailure, RecipeEvent } from "../../events/event.ts";
import type { CheckProblem, CheckRun, CheckStep, CheckVerdict } from "../../health/model.ts";
import { roundMs } from "../../health/periods.ts";
import { safeLine } from "../../report/plain_text.ts";
import type { Output, TextKind } from "../../report/reporter.ts";
import type { RunStart } from "../../schedule/scheduled.ts";
import { monotonicNow } from "../../../runtime/clock.ts";
import { COULD_NOT_RUN, INTERRUPTED } from "../command.ts";
import type { RunPlan } from "../plan.ts";
import { runPlan, type RunPlanOptions } from "../run_plan.ts";
import type { CheckPlan } from "./check_plans.ts";

/** The most characters of a report that is kept. */
const MAX_DIAGNOSTICS = 16_000;

/** The most steps of a run that are kept. */
const MAX_STEPS = 200;

/** The most characters of a step's label that are kept. */
const MAX_LABEL = 200;

/** The most characters of a failure. */
const MAX_FAILURE = 2_000;

/** Why a case does not pass that has no failure. */
const NOTHING_CHECKED: CheckProblem = {
  code: "unchecked",
  message: "nothing was asserted or waited for",
};

/** Why a run does not pass that says nothing itself. */
const NOT_PASSED: CheckProblem = { code: "not_passed", message: "it did not pass" };

/** What came of a run. */
export interface CheckResult {
  /** The run; absent if it was interrupted. */
  run?: CheckRun;
  /** What it has printed. */
  report: readonly [text: string, kind?: TextKind][];
}

/**
 * Runs a check once. Its report is kept to be printed at the end, because checks run side by side.
 *
 * @param context What a run needs; a failure to connect is in it as an error.
 */
export async function runCheck(
  { cases }: CheckPlan,
  { slot, lateness }: RunStart,
  plan: RunPlan,
  context: () => Promise<RunPlanOptions>,
  base: Pick<RunPlanOptions, "out" | "clock" | "mask">,
): Promise<CheckResult> {
  const { clock, mask } = base;
  const recorder = new RunRecorder(base.out);
  const at = clock.now();
  const start = monotonicNow(clock);
  const exitCode = await context()
    .then((own) => runPlan({ ...plan, cases }, { ...own, ...recorder.callbacks() }))
    .catch(({ code, message }: Error & { code?: string }) => {
      recorder.fail({ code: code ?? "could_not_run", message });
      return COULD_NOT_RUN;
    });
  const { report } = recorder;
  if (exitCode === INTERRUPTED) return { report };
  const verdict = VERDICTS.get(exitCode) ?? "errored";
  const text = report.map(([piece]) => piece).join("");
  const run: CheckRun = {
    ...{ slot, at, lateness_ms: roundMs(lateness) },
    duration_ms: roundMs(monotonicNow(clock) - start),
    ...{ verdict, exitCode, flaky: recorder.flaky, steps: recorder.steps },
    ...(verdict === "passed" ? {} : failureOf(recorder.problem ?? NOT_PASSED, mask)),
    ...(verdict === "passed" ? {} : { diagnostics: text.slice(-MAX_DIAGNOSTICS) }),
  };
  return { run, report };
}

function failureOf(problem: CheckProblem, mask: Mask): Pick<CheckRun, "failure" | "problem"> {
  const [line] = problem.message.split("\n", 1);
  const message = safeLine(mask.text(line!), MAX_FAILURE);
  return { failure: message, problem: { ...problem, message } };
}

/** The verdicts by the exit codes of runs. */
const VERDICTS = new Map<number, CheckVerdict>(
  (["passed", "failed", "errored", "unchecked"] as const).map((one) => [EXIT_CODES[one], one]),
);

function problemOf({ kind, code = kind, message, place }: EventFailure): CheckProblem {
  return {
    ...{ code: String(code), message },
    ...(place ? { place: { file: place.file, line: place.line, column: place.column } } : {}),
  };
}

/** Collects what a run tells. */
class RunRecorder {
  readonly report: [text: string, kind?: TextKind][] = [];
  readonly steps: CheckStep[] = [];
  /** Why it does not pass; the first reason counts. */
  problem: CheckProblem | undefined;
  flaky = false;
  #out: Output;

  constructor(out: Output) {
    this.#out = out;
  }

  /** What the run calls back. */
  callbacks(): Pick<RunPlanOptions, "out" | "onEvent" | "onProblem"> {
    return {
      out: {
        ...this.#out,
        isTerminal: false,
        write: (...piece) => void this.report.push(piece),
      },
      onEvent: (event) => this.#take(event),
      onProblem: (problem) => this.fail(problem),
    };
  }

  /** Records why it does not pass. */
  fail(problem: CheckProblem): void {
    this.problem ??= problem;
  }

  #take(event: RecipeEvent): void {
    if (event.type === "step.finished" && this.steps.length < MAX_STEPS) {
      const { step: number, label, status, duration_ms, kind } = event;
      if (status === "skipped") return;
      const wait = kind === "wait";
      const about = { number, label: safeLine(label, MAX_LABEL), status, wait };
      this.steps.push({ ...about, duration_ms: roundMs(duration_ms) });
    }
    if (event.type !== "case.finished") return;
    this.flaky ||= event.flaky;
    if (event.status === "passed" || event.quarantine) return;
    this.fail(event.failure ? problemOf(event.failure) : NOTHING_CHECKED);
  }
}
