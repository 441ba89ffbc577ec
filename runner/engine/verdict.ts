import type { CaseStatus, EventFailure } from "../events/event.ts";
import { isVerdict } from "../events/failure.ts";

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

function statusOf({ kind, code }: EventFailure): CaseStatus {
  if (kind === "interrupted") return "interrupted";
  // A recipe that calls `process.exit` has reached no verdict.
  if (code === "exit_call") return "errored";
  return isVerdict(kind) ? "failed" : "errored";
}
