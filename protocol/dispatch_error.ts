/**
 * What is known about a request that got no answer: `"not-sent"` if it never left, `"unknown"` if the
 * server may have carried it out.
 */
export type Delivery = "not-sent" | "unknown";

/** Settings of a {@linkcode DispatchError}. */
export interface DispatchErrorOptions extends ErrorOptions {
  /** What is known about the request that failed. */
  delivery?: Delivery;
}

/**
 * The base class of this package's errors. The client throws it directly when a server refuses a
 * request.
 *
 * @example
 * ```ts
 * import { DispatchError } from "@dispatch/sdk";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * await using env = await createTestDispatch();
 * try {
 *   await env.client.getJob("job_00000000000000000000000000");
 * } catch (error) {
 *   assert(error instanceof DispatchError);
 *   assert.equal(error.code, 404);
 * }
 * ```
 */
export class DispatchError extends Error {
  /** Always `"DispatchError"`. */
  override name = "DispatchError";
  /** The server's number (400, 401, 403, 404, 405, 409, 500), or a word for the client's own errors. */
  declare readonly code: number | string;
  /** Whether the server may have carried out the request, if that is not clear from the code. */
  declare readonly delivery?: Delivery;

  /** Creates an error with a stable code. */
  constructor(message: string, code: number | string, options?: DispatchErrorOptions) {
    super(message, options);
    this.code = code;
    if (options?.delivery) this.delivery = options.delivery;
  }
}
