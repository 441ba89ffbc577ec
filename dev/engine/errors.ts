import { goQuote } from "../go/encode.ts";

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

/** Thrown when there is no workflow of a name; the message is Go's. */
export class NotRegisteredError extends Error {
  /** Always `"not_registered"`. */
  readonly code = "not_registered";

  constructor(name: string) {
    super(`no workflow registered for ${goQuote(name)}`);
    this.name = "NotRegisteredError";
  }
}

/** Returns the message of a thrown value, which need not be an error. */
export function errorText(error: unknown): string {
  if (error instanceof Error) return error.message === "" ? error.name : error.message;
  return String(error);
}
