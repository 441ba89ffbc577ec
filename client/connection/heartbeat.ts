import type { Clock } from "../../runtime/clock.ts";
import type { Deadlines } from "./deadlines.ts";

/** Settings of a {@linkcode Heartbeat}. */
export interface HeartbeatOptions {
  clock: Clock;
  deadlines: Deadlines;
  /** How many milliseconds without a message before a ping is sent; 0 disables pings. */
  pingInterval: number;
  /** How many milliseconds the peer has to answer a ping. */
  pingTimeout: number;
}

/**
 * Pings a silent peer and reports it dead if it does not answer. Measures wall-clock time, so that
 * the time a machine slept counts.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #sendPing: () => void;
  readonly #onDead: (why: string) => void;
  #cancelTimer = () => {};
  /** When the last message arrived, in milliseconds since 1970. */
  lastMessageAt: number;

  constructor(options: HeartbeatOptions, sendPing: () => void, onDead: (why: string) => void) {
    this.#options = options;
    this.#sendPing = sendPing;
    this.#onDead = onDead;
    this.lastMessageAt = options.clock.now();
  }

  /** Waits for the next time a ping is due. */
  start(): void {
    const { pingInterval, pingTimeout, clock, deadlines } = this.#options;
    if (pingInterval === 0) return;
    const due = this.lastMessageAt + pingInterval;
    if (clock.now() < due) {
      this.#cancelTimer = deadlines.add(due, () => this.start());
      return;
    }
    this.#cancelTimer = deadlines.add(clock.now() + pingTimeout, () => {
      // Any message shows that the peer is alive, not only a pong.
      if (this.lastMessageAt >= due) this.start();
      else this.#onDead(`no message for ${pingInterval + pingTimeout} ms`);
    });
    this.#sendPing();
  }

  /** Stops sending pings. */
  stop(): void {
    this.#cancelTimer();
  }
}
