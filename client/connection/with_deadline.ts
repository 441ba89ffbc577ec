import { abortable } from "../../runtime/abortable.ts";
import { monotonicNow } from "../../runtime/clock.ts";
import { type Delivery, inContext } from "../errors.ts";
import type { Transport } from "./transport.ts";

/** What can end a piece of work early, besides the client being closed. */
export interface WorkLimits {
  /** The action as an error message names it. */
  what: string;
  /** When the work must be done, on the monotonic clock. */
  deadline: number;
  /**
   * Creates the error for a deadline that has passed. If the client is closed, its error has the
   * same `delivery`.
   */
  timeoutError(): Error & { delivery?: Delivery };
  signal?: AbortSignal;
}

/**
 * Runs a piece of work with a signal that aborts when the deadline passes, the caller's signal
 * aborts, or the client is closed. It then rejects at once; the work cleans up in its own time.
 */
export async function withDeadline<T>(
  { deadlines, onClose }: Pick<Transport, "deadlines" | "onClose">,
  { what, deadline, timeoutError, signal }: WorkLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
  const onClosed = (error: Error) => limit.abort(inContext(what, error, timeoutError().delivery));
  const cancelDeadline = deadlines.add(deadline, () => limit.abort(timeoutError()));
  onClose.add(onClosed);
  try {
    // The work may take longer to notice: a closed client must leave no timer behind.
    return await abortable(work(either), either);
  } finally {
    cancelDeadline();
    onClose.delete(onClosed);
  }
}

/** Resolves after `ms` milliseconds, or rejects with the signal's reason. */
export function pause(
  { deadlines, clock }: Pick<Transport, "deadlines" | "clock">,
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  let cancel = () => {};
  const elapsed = new Promise<void>((resolve) => {
    cancel = deadlines.add(monotonicNow(clock) + ms, resolve);
  });
  return abortable(elapsed, signal).finally(() => cancel());
}
