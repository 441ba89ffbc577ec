import { type Clock, monotonicNow } from "../../runtime/clock.ts";
import { SLEEP_CHECK } from "../limits.ts";
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

/** Pings a silent peer and reports it dead if it does not answer. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #sendPing: () => void;
  readonly #onDead: (why: string) => void;
  #cancelTimer = () => {};
  #heardAt: number;
  /** When the last message arrived, in milliseconds since 1970. */
  declare lastMessageAt: number;

  constructor(options: HeartbeatOptions, sendPing: () => void, onDead: (why: string) => void) {
    this.#options = options;
    this.#sendPing = sendPing;
    this.#onDead = onDead;
    this.lastMessageAt = options.clock.now();
    this.#heardAt = monotonicNow(options.clock);
  }

  /** A message arrived. Any message shows that the peer is alive, not only a pong. */
  onMessage(): void {
    const { clock } = this.#options;
    this.lastMessageAt = clock.now();
    this.#heardAt = monotonicNow(clock);
  }

  /** Waits for the next time a ping is due. */
  start(): void {
    const { pingInterval, pingTimeout, clock, deadlines } = this.#options;
    if (pingInterval === 0) return;
    const now = monotonicNow(clock);
    // The monotonic clock may stop while the machine sleeps, and the wall clock may be set. A ping too
    // many does no harm, so the longer silence counts.
    const silence = Math.max(now - this.#heardAt, clock.now() - this.lastMessageAt);
    if (silence < pingInterval) {
      const due = now + Math.min(pingInterval - silence, SLEEP_CHECK);
      this.#cancelTimer = deadlines.add(due, () => this.start());
      return;
    }
    const heardAt = this.#heardAt;
    this.#cancelTimer = deadlines.add(now + pingTimeout, () => {
      if (this.#heardAt !== heardAt) this.start();
      else this.#onDead(`no message for ${pingInterval + pingTimeout} ms`);
    });
    this.#sendPing();
  }

  /** Stops sending pings. */
  stop(): void {
    this.#cancelTimer();
  }
}
