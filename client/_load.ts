import { abortable } from "../runtime/abortable.ts";
import { tooLate } from "./connection/connection_errors.ts";
import { limited } from "./connection/with_deadline.ts";
import type { Transport } from "./connection/transport.ts";
import { DispatchError } from "./errors.ts";
import type { CallOptions } from "./options.ts";

/**
 * Waits for a part of the client that is loaded when it is first used.
 *
 * @throws {DispatchError} Of code `"load_failed"`; the next use tries again.
 */
export async function part<Part>(
  what: string,
  loading: Promise<Part>,
  signal?: AbortSignal,
): Promise<Part> {
  try {
    return await abortable(loading, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    const text = `Cannot ${what}: a part of the client could not be loaded`;
    throw new DispatchError(text, "load_failed", { cause });
  }
}

/** Waits for such a part as long as a call may take, and its client is not over. */
export function load<Part>(
  session: Transport,
  what: string,
  loading: Promise<Part>,
  { signal, timeout }: CallOptions = {},
): Promise<Part> {
  const at = session.deadline(timeout);
  const late = () => tooLate(what, "a part of the client could not be loaded before the deadline");
  return limited(session, { what, at, late, signal }, (signal) => part(what, loading, signal));
}
