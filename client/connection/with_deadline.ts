import { abortable } from "../../runtime/abortable.ts";
import { monotonicNow } from "../../runtime/clock.ts";
import { deadlineExceeded, inContext, type TimeLimit } from "../errors.ts";
import type { Transport } from "./transport.ts";

/**
 * What can end a piece of work early, besides the client being closed. Its errors have the `delivery`
 * that the limits have by then.
 */
export interface WorkLimits extends TimeLimit {
  readonly signal?: AbortSignal;
}

/**
 * Runs a piece of work with a signal that aborts when the deadline passes, the caller's signal
 * aborts, or the client is closed. It then rejects at once; the work cleans up in its own time.
 */
export async function withDeadline<T>(
  host: Pick<Transport, "deadlines" | "onClose" | "deadline">,
  limits: WorkLimits,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deadlines, onClose } = host;
  const { what, signal, timeout } = limits;
  const limit = new AbortController();
  const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;
  const onClosed = (error: Error) => limit.abort(inContext(what, error, limits.delivery));
  const cancelDeadline = deadlines.add(
    host.deadline(timeout),
    () => limit.abort(deadlineExceeded(limits)),
  );
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
