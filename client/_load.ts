import { abortable } from "./_abortable.ts";
import { tooLate } from "./_connection_errors.ts";
import { limited } from "./_limited.ts";
import type { Transport } from "./_transport.ts";
import { DispatchError } from "./errors.ts";
import type { CallOptions } from "./options.ts";

/**
 * Waits for a part of the client that is loaded when it is first used.
 *
 * @throws {DispatchError} Of code `"load_failed"`; the next use tries again.
 */
export function load<Part>(
  session: Pick<Transport, "deadlines" | "deadline">,
  what: string,
  part: Promise<Part>,
  { signal, timeout }: CallOptions = {},
): Promise<Part> {
  const { deadlines } = session;
  const at = session.deadline(timeout);
  const why = "a part of the client could not be loaded";
  const late = () => tooLate(what, `${why} before the deadline`);
  return limited({ deadlines }, { what, at, late, signal }, async (signal) => {
    try {
      return await abortable(part, signal);
    } catch (cause) {
      signal.throwIfAborted();
      throw new DispatchError(`Cannot ${what}: ${why}`, "load_failed", { cause });
    }
  });
}
