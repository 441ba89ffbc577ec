import { inspectLine } from "../expression/inspect.ts";
import type { Source, Span } from "../language/source.ts";
import type { CaseStatus, EventQuarantine, FailureKind, Observed } from "./event.ts";

/** Details of a {@linkcode StepFailure}. */
export interface StepFailureOptions extends ErrorOptions {
  /** Details, such as the values of an assertion or the states seen. */
  lines?: readonly string[];
  /** The part of the recipe that failed. */
  span?: Span | undefined;
  /** The file that `span` refers to, if it is not the recipe's own. */
  source?: Source;
  /** What a wait had seen. */
  observed?: Observed;
}

/** The error of a step that did not pass. */
export class StepFailure extends Error {
  /** Always `"step_failed"`. */
  readonly code = "step_failed";
  /** The kind of failure. */
  readonly kind: FailureKind;
  /** Details, such as the values of an assertion or the states seen. */
  readonly lines: readonly string[];
  /** The part of the recipe that failed. */
  readonly span: Span | undefined;
  /** The file that `span` refers to, if it is not the recipe's own. */
  readonly source: Source | undefined;
  /** What a wait had seen. */
  readonly observed: Observed | undefined;

  /** Creates a failure of a kind, with its message and details. */
  constructor(kind: FailureKind, message: string, options: StepFailureOptions = {}) {
    super(message, options);
    this.name = "StepFailure";
    this.kind = kind;
    this.lines = options.lines ?? [];
    this.span = options.span;
    this.source = options.source;
    this.observed = options.observed;
  }
}

/**
 * Returns whether a failure is a verdict on the server under test. Other failures mean that the
 * recipe could not be run.
 */
export function isVerdict(kind: FailureKind): boolean {
  return kind !== "server" && kind !== "connection" && kind !== "interrupted";
}

/** Returns what a recipe's code threw as an `Error`, wrapping any other value. */
export function toError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  return new StepFailure("thrown", `the recipe threw ${inspectLine(thrown)}`, {
    lines: ["throw an `Error` instead: no other value knows where it was thrown"],
  });
}

/** Whether a case did not pass, but is in quarantine: then it does not fail the run. */
export function isExcused({ status, quarantine }: {
  status: CaseStatus | "skipped";
  quarantine?: EventQuarantine | undefined;
}): boolean {
  return quarantine !== undefined && (status === "failed" || status === "errored");
}
