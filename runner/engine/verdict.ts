import type { CaseStatus, EventFailure, RecipeRunFinished, RunCounts } from "../events/event.ts";
import { isVerdict } from "../events/failure.ts";

/** The exit code of a run whose worst case had an outcome. */
export const EXIT_CODES = {
  passed: 0,
  failed: 1,
  errored: 3,
  unchecked: 4,
  interrupted: 130,
} as const satisfies Record<CaseStatus, number>;

/** The outcome of a case. */
export interface CaseResult {
  /** Whether it passed. */
  status: CaseStatus;
  /** Whether it passed only because a step was retried. */
  flaky: boolean;
  /** The first failure. */
  failure?: EventFailure;
}

/** The outcome of a case while it runs. The first failure decides it. */
export class Verdict {
  /** The number of assertions and waits so far. */
  checks = 0;
  /** Whether a step passed only because it was retried. */
  flaky = false;
  #status: CaseStatus | undefined;
  #failure: EventFailure | undefined;

  /** Whether the case has failed. */
  get failed(): boolean {
    return this.#status !== undefined;
  }

  /**
   * Records a failure, unless there was one before.
   *
   * @param status The outcome of the case; follows from the kind of failure if it is not given.
   */
  fail(failure: EventFailure, status: CaseStatus = statusOf(failure)): void {
    if (this.failed) return;
    this.#failure = failure;
    this.#status = status;
  }

  /** Adds the checks and retries of a nested recipe. */
  include({ checks, flaky }: Verdict): void {
    this.checks += checks;
    this.flaky ||= flaky;
  }

  /** Returns the outcome of a case that has ended. A case that checked nothing has not passed. */
  result(): CaseResult {
    const status = this.#status ?? (this.checks === 0 ? "unchecked" : "passed");
    return {
      status,
      flaky: this.flaky && status === "passed",
      ...(this.#failure === undefined ? {} : { failure: this.#failure }),
    };
  }
}

/** What else decides how a run ends. */
export interface RunEnd {
  /** Whether it was interrupted. */
  isInterrupted: boolean;
  /** Whether code of a recipe has called a function that ends the process. */
  wasCalledToExit: boolean;
  /** Whether it ran a part of a plan, which can be empty: there may be more parts than cases. */
  isPart: boolean;
  /** Whether there were flaky cases that fail it. */
  isFailedByFlaky?: boolean | undefined;
}

/** Returns the exit code of a run, and what failed it if no case did. */
export function endOfRun(
  counts: RunCounts,
  end: RunEnd,
): Pick<RecipeRunFinished, "exit_code" | "failed_by"> {
  const exit_code = exitCodeOf(counts, end);
  const isByFlaky = exit_code !== exitCodeOf(counts, { ...end, isFailedByFlaky: false });
  return { exit_code, ...(isByFlaky ? { failed_by: "flaky" } : {}) };
}

/** Returns the exit code of a run; the worst outcome of a case decides. */
export function exitCodeOf(
  counts: RunCounts,
  { isInterrupted, wasCalledToExit, isPart, isFailedByFlaky = false }: RunEnd,
): number {
  if (isInterrupted) return EXIT_CODES.interrupted;
  if (wasCalledToExit) return EXIT_CODES.errored;
  if (counts.failed > 0 || isFailedByFlaky) return EXIT_CODES.failed;
  if (counts.errored > 0) return EXIT_CODES.errored;
  if (counts.unchecked > 0) return EXIT_CODES.unchecked;
  const ran = counts.passed + (counts.quarantined ?? 0);
  return ran === 0 && !isPart ? EXIT_CODES.unchecked : EXIT_CODES.passed;
}

function statusOf({ kind, code }: EventFailure): CaseStatus {
  if (kind === "interrupted") return "interrupted";
  // A recipe that calls `process.exit` has reached no verdict.
  if (code === "exit_call") return "errored";
  return isVerdict(kind) ? "failed" : "errored";
}
