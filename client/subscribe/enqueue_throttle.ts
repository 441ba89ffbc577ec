import { monotonicNow } from "../../runtime/clock.ts";
import type { Request, Transport } from "../connection/transport.ts";
import { withDeadline } from "../connection/with_deadline.ts";
import { deadlineExceeded } from "../errors.ts";

/**
 * How many jobs may be enqueued whose `job.enqueued` has not arrived. A server buffers 256 events for
 * a connection and silently drops more; this many jobs make 72 if they run at once.
 */
const LIMIT = 24;

/** After this many milliseconds without a `job.enqueued`, no more of them are expected. */
const IDLE_TIME = 50;

/**
 * Limits the rate of enqueues to the rate at which their events arrive, so that the events do not
 * overflow the server's buffer for this connection.
 */
export class EnqueueThrottle {
  readonly #host: Pick<Transport, "clock" | "deadlines" | "onClose">;
  readonly #waiters = new Set<() => void>();
  #unseen = 0;
  #lastSeenAt = -Infinity;
  #cancelCheck: (() => void) | undefined;

  constructor(host: Pick<Transport, "clock" | "deadlines" | "onClose">) {
    this.#host = host;
  }

  /** Resolves when the caller may enqueue a job; callers take turns in order. */
  acquire({ what, signal }: Request, deadline: number): Promise<void> {
    const timeoutError = () => deadlineExceeded(what, "it waited for its turn until the deadline");
    const limits = { what, deadline, timeoutError, signal };
    return withDeadline(this.#host, limits, async (signal) => {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiters.add(resolve);
      this.#release();
      signal.addEventListener("abort", () => {
        this.#waiters.delete(resolve);
        this.#release();
      });
      await promise;
    });
  }

  /** A `job.enqueued` has arrived. */
  onEnqueued(): void {
    this.#lastSeenAt = monotonicNow(this.#host.clock);
    if (this.#unseen > 0) this.#unseen--;
    this.#release();
  }

  #release(): void {
    for (const resume of this.#waiters) {
      if (this.#unseen >= LIMIT) return this.#checkLater();
      this.#unseen++;
      this.#waiters.delete(resume);
      resume();
    }
    this.#cancelCheck?.();
    this.#cancelCheck = undefined;
  }

  /** Lets the waiters go on if events were lost, or never sent because the server refused a job. */
  #checkLater(): void {
    const { deadlines, clock } = this.#host;
    this.#cancelCheck ??= deadlines.add(monotonicNow(clock) + IDLE_TIME, () => {
      this.#cancelCheck = undefined;
      if (monotonicNow(clock) - this.#lastSeenAt >= IDLE_TIME) this.#unseen = 0;
      this.#release();
    });
  }
}
