import { monotonicNow } from "../../runtime/clock.ts";
import type { Call } from "../connection/call.ts";
import { OfflineQueue } from "../connection/offline_queue.ts";
import type { Transport } from "../connection/transport.ts";
import { ENQUEUE_IDLE_TIME, ENQUEUES_AHEAD } from "../limits.ts";

/**
 * Limits the rate of enqueues to the rate at which their events arrive, so that the events do not
 * overflow the server's buffer for this connection. Holds the calls that wait for their turn.
 */
export class EnqueueThrottle extends OfflineQueue {
  readonly #host: Pick<Transport, "clock" | "deadlines">;
  readonly #send: (call: Call) => void;
  #unseen = 0;
  #cancelTimer = () => {};

  /** @param send Called with each call when its turn has come, in order. */
  constructor(host: Pick<Transport, "clock" | "deadlines">, send: (call: Call) => void) {
    super(Infinity, "turn");
    this.#host = host;
    this.#send = send;
  }

  /** Sends a call that enqueues a job, now or when its turn has come. */
  override add(call: Call): void {
    super.add(call);
    this.#release();
  }

  override delete(call: Call): void {
    super.delete(call);
    if (this.size === 0) this.#cancelTimer();
  }

  /** A `job.enqueued` has arrived. */
  onEnqueued(): void {
    if (this.#unseen > 0) this.#unseen--;
    this.#release();
  }

  #release(): void {
    this.#cancelTimer();
    for (const call of this.calls) {
      if (this.#unseen >= ENQUEUES_AHEAD) return this.#releaseLater();
      this.#unseen++;
      this.delete(call);
      this.#send(call);
    }
  }

  /** Lets the calls go on if events were lost, or never sent because the server refused a job. */
  #releaseLater(): void {
    const { deadlines, clock } = this.#host;
    this.#cancelTimer = deadlines.add(monotonicNow(clock) + ENQUEUE_IDLE_TIME, () => {
      this.#unseen = 0;
      this.#release();
    });
  }
}
