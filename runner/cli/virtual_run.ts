import type { Clock } from "../../runtime/clock.ts";
import { startStopwatch } from "../events/deadline.ts";
import { type Allowance, VirtualTime } from "../engine/virtual_time.ts";

/** The virtual time of a run. */
export interface VirtualRun {
  /** The clock of the server and of the run. */
  clock: Clock;
  /** The clock of the client. */
  clientClock: Clock;
  /** How long it waited at most for work that does not follow it, in real milliseconds. */
  readonly longestQuietMs: number;
  /** Whether it stopped waiting for such work. */
  readonly hasGivenUp: boolean;
  /** Lets the time skip although it is held; returns a function that ends that. */
  excuse: () => () => void;
  /** What the engine needs to know about the time. */
  time: VirtualTime;
  /** Returns the real time since the start, in milliseconds. */
  elapsed: () => number;
  /** Lets the time skip while a callback runs. */
  during<T>(run: () => Promise<T>): Promise<T>;
}

/** Settings of {@linkcode startVirtualTime}. */
export interface VirtualTimeOptions {
  /**
   * The time that it starts at.
   * @default {the real time}
   */
  start?: Date;
  /** How long it waits for work that does not follow it, in real milliseconds. */
  patience?: number;
  /** Calls the callbacks of timers. */
  call?: (callback: () => void) => void;
  /** How much more time the recipes get. */
  allowance?: Allowance;
}

/** Creates a clock for a run. */
export async function startVirtualTime(
  real: Clock,
  { start = new Date(real.now()), patience, call, allowance }: VirtualTimeOptions = {},
): Promise<VirtualRun> {
  const { RunClock } = await import("../../dev/run_clock.ts");
  const clock = new RunClock({
    start,
    real,
    ...(patience === undefined ? {} : { patience }),
    ...(call ? { call } : {}),
  });
  // The time stands while recipes and modules are read.
  let resume = clock.pause();
  return {
    clock,
    clientClock: clock.pauses,
    get longestQuietMs() {
      return clock.longestQuietMs;
    },
    get hasGivenUp() {
      return clock.hasGivenUp;
    },
    excuse: () => clock.excuse(),
    time: new VirtualTime(clock, allowance),
    elapsed: startStopwatch(real),
    async during(run) {
      resume();
      try {
        return await run();
      } finally {
        resume = clock.pause();
      }
    },
  };
}
