import type { Source, Span } from "../language/source.ts";
import type { Observed } from "./event.ts";

/** Why a step did not pass. */
export type FailureKind =
  /** An assertion was not met. */
  | "assertion"
  /** What was waited for ended in another way. */
  | "wait"
  /** A deadline passed. */
  | "deadline"
  /** A value could not be worked out. */
  | "evaluation"
  /** The server refused. */
  | "server"
  /** The connection could not be made or was lost. */
  | "connection"
  /** The run was interrupted. */
  | "interrupted"
  /** The recipe itself threw. */
  | "thrown";

/** Details of a {@linkcode StepFailure}. */
export interface StepFailureOptions extends ErrorOptions {
  /** More lines. */
  lines?: readonly string[];
  /** The part of the recipe that it is about. */
  span?: Span | undefined;
  /** The text that the part is in, where it is not the recipe's own. */
  source?: Source;
  /** What a wait had seen. */
  observed?: Observed;
}

/** A step that did not pass. */
export class StepFailure extends Error {
  /** Always `"step_failed"`. */
  readonly code = "step_failed";
  /** Why. */
  readonly kind: FailureKind;
  /** More lines: the values of an assertion, the states that were seen. */
  readonly lines: readonly string[];
  /** The part of the recipe that it is about. */
  readonly span: Span | undefined;
  /** The text that the part is in, where it is not the recipe's own. */
  readonly source: Source | undefined;
  /** What a wait had seen. */
  readonly observed: Observed | undefined;

  /** Says why, with details. */
  constructor(
    kind: FailureKind,
    message: string,
    options: StepFailureOptions = {},
  ) {
    super(message, options);
    this.name = "StepFailure";
    this.kind = kind;
    this.lines = options.lines ?? [];
    this.span = options.span;
    this.source = options.source;
    this.observed = options.observed;
  }
}

/** Whether a failure means that the recipe was not met (`failed`) or could not be run (`errored`). */
export function isVerdict(kind: FailureKind): boolean {
  return kind !== "server" && kind !== "connection" && kind !== "interrupted";
}
