import { abortable } from "../../runtime/abortable.ts";
import { monotonicNow } from "../../runtime/clock.ts";
import { deadlineExceeded } from "../errors.ts";
import type { Request, Transport } from "../connection/transport.ts";
import { withDeadline } from "../connection/with_deadline.ts";

/**
 * How many enqueued jobs may be unstarted. A server buffers 256 events for a connection and silently
 * drops more; a job makes three.
 */
const LIMIT = 24;

/** After this many milliseconds without a started job, the unstarted ones count as waiting. */
const IDLE_TIME = 50;

/**
 * Limits the rate of enqueues to the rate at which jobs start, so that their events do not overflow
 * the server's buffer for this connection.
 */
export class EnqueueThrottle {
  readonly #host: Pick<Transport, "clock" | "deadlines" | "onClose">;
  readonly #waiters = new Set<() => void>();
  #unstarted = 0;
  #lastStartAt = -Infinity;
  #cancelIdleCheck: (() => void) | undefined;

  constructor(host: Pick<Transport, "clock" | "deadlines" | "onClose">) {
    this.#host = host;
  }

  /** Resolves when the caller may enqueue a job; callers take turns in order. */
  acquire({ what, signal }: Request, deadline: number): Promise<void> {
    const timeoutError = () => deadlineExceeded(what, "it waited for its turn until the deadline");
    const limits = { what, deadline, timeoutError, signal };
    return withDeadline(this.#host, limits, (signal) => this.#acquire(signal));
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#unstarted < LIMIT && this.#waiters.size === 0) {
      this.#unstarted++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiters.add(resolve);
    this.#scheduleIdleCheck();
    try {
      await abortable(promise, signal);
    } catch (error) {
      this.#waiters.delete(resolve);
      if (this.#waiters.size === 0) this.#stopIdleCheck();
      throw error;
    }
  }

  /** A job has started. */
  onStarted(): void {
    this.#lastStartAt = monotonicNow(this.#host.clock);
    if (this.#unstarted > 0) this.#unstarted--;
    this.#release();
  }

  #release(): void {
    for (const resume of this.#waiters) {
      if (this.#unstarted >= LIMIT) return;
      this.#unstarted++;
      this.#waiters.delete(resume);
      resume();
    }
    this.#stopIdleCheck();
  }

  /** Jobs that no worker runs make no more events, so there is no reason to wait for them. */
  #scheduleIdleCheck(): void {
    const { deadlines, clock } = this.#host;
    this.#cancelIdleCheck ??= deadlines.add(monotonicNow(clock) + IDLE_TIME, () => {
      this.#cancelIdleCheck = undefined;
      if (monotonicNow(clock) - this.#lastStartAt >= IDLE_TIME) this.#unstarted = 0;
      this.#release();
      if (this.#waiters.size > 0) this.#scheduleIdleCheck();
    });
  }

  #stopIdleCheck(): void {
    this.#cancelIdleCheck?.();
    this.#cancelIdleCheck = undefined;
  }
}
