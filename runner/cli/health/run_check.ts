import { EXIT_CODES } from "../../engine/verdict.ts";
import type { RecipeEvent } from "../../events/event.ts";
import type { CheckRun, CheckStep, CheckVerdict } from "../../health/model.ts";
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
  base: Pick<RunPlanOptions, "out" | "err" | "clock" | "mask">,
): Promise<CheckResult> {
  const { clock, mask } = base;
  const recorder = new RunRecorder(base);
  const at = clock.now();
  const start = monotonicNow(clock);
  const exitCode = await context()
    .then((own) => runPlan({ ...plan, cases }, { ...own, ...recorder.outputs() }))
    .catch((error: Error) => {
      recorder.fail(mask.text(error.message));
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
    ...(verdict === "passed" ? {} : {
      failure: safeLine(mask.text(recorder.failure ?? "it did not pass"), MAX_FAILURE),
      diagnostics: text.slice(-MAX_DIAGNOSTICS),
    }),
  };
  return { run, report };
}

/** The verdicts by the exit codes of runs. */
const VERDICTS = new Map<number, CheckVerdict>(
  (["passed", "failed", "errored", "unchecked"] as const).map((one) => [EXIT_CODES[one], one]),
);

/** Collects what a run tells. */
class RunRecorder {
  readonly report: [text: string, kind?: TextKind][] = [];
  readonly steps: CheckStep[] = [];
  failure: string | undefined;
  flaky = false;
  #out: Output;
  #err: Output;

  constructor({ out, err }: Pick<RunPlanOptions, "out" | "err">) {
    this.#out = out;
    this.#err = err;
  }

  /** Where the run writes to. */
  outputs(): Pick<RunPlanOptions, "out" | "err" | "onEvent"> {
    return {
      out: {
        ...this.#out,
        isTerminal: false,
        write: (...piece) => void this.report.push(piece),
      },
      err: {
        ...this.#err,
        write: (text, kind) => {
          if (text.startsWith("error: ")) this.fail(text.slice(7).trimEnd());
          this.#err.write(text, kind);
        },
      },
      onEvent: (event) => this.#take(event),
    };
  }

  /** Records why it does not pass; the first reason counts. */
  fail(message: string): void {
    this.failure ??= message.split("\n", 1)[0]!;
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
    this.fail(event.failure?.message ?? "nothing was asserted or waited for");
  }
}
