import type { JobRecord, WorkflowRun } from "../protocol/entity.ts";

/**
 * What is known of a request that got no answer: it never left, or it may have been carried out.
 */
export type Delivery = "not-sent" | "unknown";

/** Settings of a {@linkcode DispatchError}. */
export interface DispatchErrorOptions extends ErrorOptions {
  /** What is known of the request that failed. */
  delivery?: Delivery;
}

/**
 * The base of all errors of this package, and the error itself where a server refused a request.
 *
 * @example Telling refusals apart
 * ```ts
 * import { DispatchError } from "@dispatch/sdk";
 *
 * const error: unknown = new DispatchError("Cannot get job: the server answered 404", 404);
 * if (error instanceof DispatchError && error.code === 404) {
 *   // There is no such job.
 * }
 * ```
 */
export class DispatchError extends Error {
  /** Always `"DispatchError"`. */
  override name = "DispatchError";
  /** The server's number (400, 401, 403, 404, 405, 409, 500), or a word where no server spoke. */
  readonly code: number | string;

  /** Makes an error with a stable code. */
  constructor(message: string, code: number | string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The token was refused; its code is 401. */
export class AuthError extends DispatchError {
  /** Always `"AuthError"`. */
  override name = "AuthError";
  /** Makes an error of code 401. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, 401, options);
  }
}

/** What went wrong with a connection. */
export type ConnectionErrorCode =
  /** The server could not be reached, or refused to speak the protocol. */
  | "connect_failed"
  /** The connection was lost, or its peer fell silent. */
  | "connection_lost"
  /** Every attempt to reconnect failed. */
  | "gave_up"
  /** The client was closed. */
  | "closed"
  /** Too many requests wait for a connection. */
  | "queue_full";

/** The connection could not be made, was lost, or was closed. */
export class ConnectionError extends DispatchError {
  /** Always `"ConnectionError"`. */
  override name = "ConnectionError";
  /** Whether the request may have been carried out. */
  readonly delivery: Delivery;

  /** Makes a connection error. */
  constructor(message: string, code: ConnectionErrorCode, options: DispatchErrorOptions = {}) {
    super(message, code, options);
    this.delivery = options.delivery ?? "not-sent";
  }
}

/** A deadline passed; its code is `"timeout"`. */
export class TimeoutError extends DispatchError {
  /** Always `"TimeoutError"`. */
  override name = "TimeoutError";
  /** Whether the request may have been carried out. */
  readonly delivery: Delivery;

  /** Makes an error of code `"timeout"`. */
  constructor(message: string, options: DispatchErrorOptions = {}) {
    super(message, "timeout", options);
    this.delivery = options.delivery ?? "unknown";
  }
}

/** One of many enqueues failed; its code is that of the failure, which is its `cause`. */
export class EnqueueManyError extends DispatchError {
  /** Always `"EnqueueManyError"`. */
  override name = "EnqueueManyError";
  /** Which one, counted from 0. Those before it were enqueued, those behind it may have been. */
  readonly index: number;

  /** Makes an error out of the failure of one enqueue. */
  constructor(name: string, index: number, cause: DispatchError) {
    const where = `number ${index} (counted from 0)`;
    super(`Cannot enqueue '${name}' ${where}: ${cause.message}`, cause.code, { cause });
    this.index = index;
  }
}

/** A subscription's buffer overflowed and its `overflow` is `"error"`; its code is `"overflow"`. */
export class OverflowError extends DispatchError {
  /** Always `"OverflowError"`. */
  override name = "OverflowError";
  /** Makes an error of code `"overflow"`. */
  constructor(message: string) {
    super(message, "overflow");
  }
}

/** A job that was waited for failed or was cancelled. */
export class JobFailedError extends DispatchError {
  /** Always `"JobFailedError"`. */
  override name = "JobFailedError";
  /** The job as it ended. */
  readonly job: JobRecord;

  /** Makes an error of code `"job_failed"` or `"job_cancelled"`. */
  constructor(job: JobRecord) {
    const why = job.last_error && job.state === "failed" ? `: ${job.last_error}` : "";
    super(`Job '${job.name}' (${job.id}) ${job.state}${why}`, `job_${job.state}`);
    this.job = job;
  }
}

/** A run that was waited for failed; its code is `"run_failed"`. */
export class RunFailedError extends DispatchError {
  /** Always `"RunFailedError"`. */
  override name = "RunFailedError";
  /** The run as it ended. */
  readonly run: WorkflowRun;

  /** Makes an error of code `"run_failed"`. */
  constructor(run: WorkflowRun) {
    super(
      `Run of '${run.name}' (${run.id}) failed${run.error ? `: ${run.error}` : ""}`,
      "run_failed",
    );
    this.run = run;
  }
}
