import type { Clock } from "./clock.ts";

const times = new WeakMap<Clock, () => number>();

/**
 * Returns a time of a clock that nobody can set: it never goes back and does not jump. It starts as
 * the wall-clock time, in milliseconds since 1970. All callers that pass the same clock share it.
 */
export function steadyTime(clock: Clock): () => number {
  let time = times.get(clock);
  if (!time) times.set(clock, time = clock.monotonic ? fromMonotonic(clock) : fromWall(clock));
  return time;
}

function fromMonotonic(clock: Clock): () => number {
  const start = clock.now() - clock.monotonic!();
  return () => start + clock.monotonic!();
}

/** Measures time with a clock that has only wall-clock time, and ignores its jumps back. */
function fromWall(clock: Clock): () => number {
  let last = clock.now();
  let steady = last;
  return () => {
    const now = clock.now();
    steady += Math.max(0, now - last);
    last = now;
    return steady;
  };
}
