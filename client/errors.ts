import {
  type Delivery,
  DispatchError,
  type DispatchErrorOptions,
} from "../protocol/dispatch_error.ts";
import type { JobRecord, WorkflowRun } from "../protocol/entity.ts";

export {
  type Delivery,
  DispatchError,
  type DispatchErrorOptions,
} from "../protocol/dispatch_error.ts";

/**
 * The server refused the token. The code is 401.
 *
 * @example
 * ```ts
 * import { AuthError } from "@dispatch/sdk";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * await assert.rejects(createTestDispatch({ token: "wrong" }), AuthError);
 * ```
 */
export class AuthError extends DispatchError {
  /** Always `"AuthError"`. */
  override name = "AuthError";
  /** Creates an error with the code 401. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, 401, options);
  }
}

/** The code of a {@linkcode ConnectionError}. */
export type ConnectionErrorCode =
  /** The server could not be reached, or it does not speak the protocol. */
  | "connect_failed"
  /** The connection was lost, or the server stopped responding. */
  | "connection_lost"
  /** Every attempt to reconnect failed. */
  | "gave_up"
  /** The client was closed. */
  | "closed"
  /** Too many requests wait for a connection. */
  | "queue_full";

/**
 * The connection could not be established, was lost, or was closed.
 *
 * @example
 * ```ts
 * import { ConnectionError, type Dispatch } from "@dispatch/sdk";
 *
 * async function enqueueOnce(client: Dispatch, name: string) {
 *   try {
 *     return await client.enqueue(name);
 *   } catch (error) {
 *     if (!(error instanceof ConnectionError) || error.delivery === "unknown") throw error;
 *     // The request never left, so sending it again cannot enqueue the job twice.
 *     return await client.enqueue(name);
 *   }
 * }
 * ```
 */
export class ConnectionError extends DispatchError {
  /** Always `"ConnectionError"`. */
  override name = "ConnectionError";
  /** Whether the server may have carried out the request. */
  declare readonly delivery: Delivery;

  /** Creates a connection error; `delivery` is `"not-sent"` unless the options say otherwise. */
  constructor(message: string, code: ConnectionErrorCode, options?: DispatchErrorOptions) {
    super(message, code, { delivery: "not-sent", ...options });
  }
}

/**
 * A deadline passed. The code is `"timeout"`.
 *
 * @example
 * ```ts
 * import { TimeoutError } from "@dispatch/sdk";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * await using env = await createTestDispatch();
 * const job = await env.client.enqueue("nobody-runs-this");
 * await assert.rejects(job.wait({ timeout: 10 }), TimeoutError);
 * ```
 */
export class TimeoutError extends DispatchError {
  /** Always `"TimeoutError"`. */
  override name = "TimeoutError";
  /** Whether the server may have carried out the request. */
  declare readonly delivery: Delivery;

  /** Creates an error with the code `"timeout"`. */
  constructor(message: string, options?: DispatchErrorOptions) {
    super(message, "timeout", { delivery: "unknown", ...options });
  }
}

/**
 * One of the enqueues of `enqueueMany()` failed. The code is that of the failure, which is the
 * `cause`.
 *
 * @example
 * ```ts
 * import { type Dispatch, EnqueueManyError } from "@dispatch/sdk";
 *
 * async function enqueueUntilFailure(client: Dispatch, payloads: unknown[]) {
 *   try {
 *     return (await client.enqueueMany("send-email", payloads)).length;
 *   } catch (error) {
 *     if (!(error instanceof EnqueueManyError)) throw error;
 *     return error.index;
 *   }
 * }
 * ```
 */
export class EnqueueManyError extends DispatchError {
  /** Always `"EnqueueManyError"`. */
  override name = "EnqueueManyError";
  /**
   * The index of the payload that failed. The jobs before it were enqueued; those after it may have
   * been.
   */
  declare readonly index: number;

  /** Creates an error from the failure of one enqueue. */
  constructor(name: string, index: number, cause: DispatchError) {
    super(`Cannot enqueue '${name}' at index ${index}: ${cause.message}`, cause.code, { cause });
    this.index = index;
  }
}

/**
 * The buffer of a subscription with `overflow: "error"` is full. The code is `"overflow"`.
 *
 * @example
 * ```ts
 * import { type Dispatch, OverflowError } from "@dispatch/sdk";
 *
 * async function readFast(client: Dispatch) {
 *   try {
 *     for await (const event of client.subscribe("jobs", { buffer: 100, overflow: "error" })) {
 *       if (event.type === "job.failed") return "failed";
 *     }
 *   } catch (error) {
 *     if (error instanceof OverflowError) return "too slow";
 *     throw error;
 *   }
 * }
 * ```
 */
export class OverflowError extends DispatchError {
  /** Always `"OverflowError"`. */
  override name = "OverflowError";
  /** Creates an error with the code `"overflow"`. */
  constructor(message: string) {
    super(message, "overflow");
  }
}

/**
 * A job failed or was cancelled while `wait()` waited for it.
 *
 * @example
 * ```ts
 * import { JobFailedError } from "@dispatch/sdk";
 * import { defineJob } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * const broken = defineJob("broken", { maxRetries: 0 }, () => {
 *   throw new Error("no disk space");
 * });
 * await using env = await createTestDispatch({ jobs: [broken] });
 * const job = await env.client.enqueue("broken");
 * await assert.rejects(job.wait(), (error) => {
 *   return error instanceof JobFailedError && error.job.last_error === "no disk space";
 * });
 * ```
 */
export class JobFailedError extends DispatchError {
  /** Always `"JobFailedError"`. */
  override name = "JobFailedError";
  /** The job's final record. */
  declare readonly job: JobRecord;

  /** Creates an error with the code `"job_failed"` or `"job_cancelled"`. */
  constructor(job: JobRecord) {
    const why = job.last_error && job.state === "failed" ? `: ${job.last_error}` : "";
    super(`Job '${job.name}' (${job.id}) ${job.state}${why}`, `job_${job.state}`);
    this.job = job;
  }
}

/**
 * A run failed while `wait()` waited for it. The code is `"run_failed"`.
 *
 * @example
 * ```ts
 * import { RunFailedError } from "@dispatch/sdk";
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * const broken = defineWorkflow("broken", () => {
 *   throw new Error("card declined");
 * });
 * await using env = await createTestDispatch({ workflows: [broken] });
 * const run = await env.client.startWorkflow("broken");
 * await assert.rejects(run.wait(), (error) => {
 *   return error instanceof RunFailedError && /card declined/.test(error.message);
 * });
 * ```
 */
export class RunFailedError extends DispatchError {
  /** Always `"RunFailedError"`. */
  override name = "RunFailedError";
  /** The run's final record. */
  declare readonly run: WorkflowRun;

  /** Creates an error with the code `"run_failed"`. */
  constructor(run: WorkflowRun) {
    super(
      `Run of '${run.name}' (${run.id}) failed${run.error ? `: ${run.error}` : ""}`,
      "run_failed",
    );
    this.run = run;
  }
}

/** Creates the error that every call on a closed client rejects with. */
export function closedError(): ConnectionError {
  return new ConnectionError("the client is closed", "closed");
}

/** Restates a connection's error as the error of one call; returns any other error as it is. */
export function inContext(
  what: string,
  cause: unknown,
  delivery: Delivery = "not-sent",
): unknown {
  const text = `Cannot ${what}: ${(cause as Error).message}`;
  const options = { cause, delivery };
  if (cause instanceof AuthError) return new AuthError(text, options);
  if (cause instanceof TimeoutError) return new TimeoutError(text, options);
  if (!(cause instanceof ConnectionError)) return cause;
  return new ConnectionError(text, cause.code as "closed", options);
}

/** How long something may take, and what its errors say. */
export interface TimeLimit extends DispatchErrorOptions {
  /** The action as an error message names it. */
  readonly what: string;
  /** The milliseconds. */
  readonly timeout?: number;
  /** What it waits for, as the timeout error names it: `answer`. */
  readonly awaited: string;
}

/**
 * Creates the error of a call whose deadline has passed. It shows the milliseconds, so that seconds
 * given by mistake are noticed.
 */
export function deadlineExceeded(
  { what, timeout, awaited, delivery = "not-sent", cause }: TimeLimit,
): TimeoutError {
  const text = `Cannot ${what}: no ${awaited} within ${timeout} ms`;
  return new TimeoutError(text, { delivery, cause });
}
