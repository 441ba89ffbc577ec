import { abortable } from "./_abortable.ts";
import { DispatchError } from "./errors.ts";

/**
 * Waits for a part of the client that is loaded when it is first used.
 *
 * @throws {DispatchError} Of code `"load_failed"`; the next use tries again.
 */
export async function load<Part>(
  what: string,
  part: Promise<Part>,
  signal?: AbortSignal,
): Promise<Part> {
  try {
    return await abortable(part, signal);
  } catch (cause) {
    signal?.throwIfAborted();
    const text = `Cannot ${what}: a part of the client could not be loaded`;
    throw new DispatchError(text, "load_failed", { cause });
  }
}
