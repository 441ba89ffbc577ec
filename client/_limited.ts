import { said } from "./_connection_errors.ts";
import type { Transport } from "./_transport.ts";

/** What ends a piece of work early. */
export interface Limits {
  /** Names it in an error. */
  what: string;
  /** When it has to be over, in milliseconds since 1970. */
  at: number;
  /** Makes the error of that. */
  late(): Error;
  signal?: AbortSignal;
}

/**
 * Does a piece of work, and aborts its signal when the first of its limits is reached, or when its
 * client is over, where that is told of.
 */
export async function limited<T>(
  { deadlines, onOver }: Pick<Transport, "deadlines"> & Partial<Transport>,
  { what, at, late, signal }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const end = (error: Error) => limit.abort(said(what, error));
  const forget = deadlines.add(at, () => limit.abort(late()));
  onOver?.add(end);
  try {
    return await work(signal ? AbortSignal.any([signal, limit.signal]) : limit.signal);
  } finally {
    forget();
    onOver?.delete(end);
  }
}
