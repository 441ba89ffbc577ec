import { said } from "./connection_errors.ts";
import type { Transport } from "./transport.ts";

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
 * Does a piece of work, and aborts its signal when the first of its limits is reached or its client
 * is over.
 */
export async function limited<T>(
  { deadlines, onOver }: Transport,
  { what, at, late, signal }: Limits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const both = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
  const end = (error: Error) => limit.abort(said(what, error));
  const forget = deadlines.add(at, () => limit.abort(late()));
  const settle = () => {
    forget();
    onOver.delete(end);
    both.removeEventListener("abort", settle);
  };
  onOver.add(end);
  // At once, whatever the work still has to do: nothing is left when the client has been closed.
  both.addEventListener("abort", settle);
  try {
    return await work(both);
  } finally {
    settle();
  }
}
