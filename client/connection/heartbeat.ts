import type { Clock } from "../../runtime/clock.ts";
import type { Deadlines } from "./deadlines.ts";

/** What {@linkcode Pings} needs. */
export interface PingsOptions {
  clock: Clock;
  deadlines: Deadlines;
  /** After how long a silence the peer is asked, in milliseconds; 0 is never. */
  pingInterval: number;
  /** How long it may take to answer, in milliseconds. */
  pingTimeout: number;
}

/** Asks a silent peer whether it is there; wall-clock time, so that a sleep counts. */
export class Pings {
  readonly #options: PingsOptions;
  readonly #ping: () => void;
  readonly #onDead: (why: string) => void;
  #forget = () => {};
  /** When the last message came, in milliseconds since 1970. */
  lastHeard: number;

  constructor(options: PingsOptions, ping: () => void, onDead: (why: string) => void) {
    this.#options = options;
    this.#ping = ping;
    this.#onDead = onDead;
    this.lastHeard = options.clock.now();
  }

  /** Begins, or goes on. */
  start(): void {
    const { pingInterval, pingTimeout, clock, deadlines } = this.#options;
    if (pingInterval === 0) return;
    const due = this.lastHeard + pingInterval;
    if (clock.now() < due) {
      this.#forget = deadlines.add(due, () => this.start());
      return;
    }
    this.#forget = deadlines.add(clock.now() + pingTimeout, () => {
      // Whatever came meanwhile shows that the peer lives: its pong, an error, or an event.
      if (this.lastHeard >= due) this.start();
      else this.#onDead(`no sign of life for ${pingInterval + pingTimeout} ms`);
    });
    this.#ping();
  }

  /** Asks no more. */
  stop(): void {
    this.#forget();
  }
}
