import type { Clock } from "../../runtime/clock.ts";
import { startStopwatch } from "../events/deadline.ts";
import { VirtualTime } from "../engine/virtual_time.ts";

/** The virtual time of a run. */
export interface VirtualRun {
  /** The clock of the server and of the run. */
  clock: Clock;
  /** The clock of the client. */
  clientClock: Clock;
  /** What the engine needs to know about the time. */
  time: VirtualTime;
  /** Returns the real time since the start, in milliseconds. */
  elapsed: () => number;
  /** Lets the time skip while a callback runs. */
  during<T>(run: () => Promise<T>): Promise<T>;
}

/** Creates a clock for a run, which starts at the real time. */
export async function startVirtualTime(real: Clock): Promise<VirtualRun> {
  const { RunClock } = await import("../../dev/run_clock.ts");
  const clock = new RunClock({ start: new Date(real.now()), real });
  // The time stands while recipes and modules are read.
  let resume = clock.pause();
  return {
    clock,
    clientClock: clock.pauses,
    time: new VirtualTime(clock),
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
