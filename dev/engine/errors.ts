/** The reason of an abort signal whose owner is gone; the message is Go's. */
export class CanceledError extends Error {
  /** Always `"canceled"`. */
  readonly code = "canceled";

  constructor() {
    super("context canceled");
    this.name = "CanceledError";
  }
}

/** The reason of an abort signal whose time is up; the message is Go's. */
export class DeadlineError extends Error {
  /** Always `"deadline_exceeded"`. */
  readonly code = "deadline_exceeded";

  constructor() {
    super("context deadline exceeded");
    this.name = "DeadlineError";
  }
}

/** Returns the message of a thrown value, which need not be an error. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}
