import type { DispatchEvent } from "../protocol/event.ts";
import type { Clock } from "../runtime/clock.ts";
import { gap, joinGaps } from "./_core.ts";
import type { Gap } from "./gap.ts";
import type { Status } from "./status.ts";
import { type Overflow, Stream } from "./_stream.ts";

/** The buffer of one who reads a channel: gaps stand where events are missing. */
export function eventBuffer(
  capacity: number,
  overflow: Overflow,
  clock: Clock,
  onLeave: () => void,
): Stream<DispatchEvent | Gap> {
  let firstMissed = 0;
  return new Stream<DispatchEvent | Gap>({
    capacity,
    overflow,
    onDrop: () => firstMissed ||= clock.now(),
    mark: (missed) => {
      const since = firstMissed;
      firstMissed = 0;
      return gap("overflow", since, clock.now(), missed);
    },
    join: (first, second) =>
      first.type === "gap" && second.type === "gap" ? joinGaps(first, second) : undefined,
    onLeave,
  });
}

/** The buffer of one who reads the status of a connection. */
export function statusBuffer(onLeave: () => void): Stream<Status> {
  return new Stream<Status>({
    capacity: 1_000,
    overflow: "drop-oldest",
    mark: (missed) => ({
      type: "anomaly",
      count: missed,
      cause: new Error(`${missed} older statuses were not read in time`),
    }),
    onLeave,
  });
}
