import type { NextTime, WindowAt } from "./calendar.ts";

/** Something that runs on a schedule. Durations are in milliseconds, times since 1970. */
export interface Scheduled {
  /** Returns the first scheduled time after another one. */
  readonly next: NextTime;
  /** The longest random delay of a run. */
  readonly jitter: number;
  /** The maintenance windows, in which it does not run. */
  readonly maintenance: readonly WindowAt[];
  /** The time from a run that failed to the next one, if that is earlier than the scheduled one. */
  readonly everyWhileFailing?: number;
  /** Runs it once. */
  run(start: RunStart): Promise<RunEnd>;
}

/** The start of a run. */
export interface RunStart {
  /** When it was due, without its jitter, in milliseconds since 1970. */
  slot: number;
  /** How much later than that and its jitter it started, in milliseconds. */
  lateness: number;
}

/** How a run ended. */
export type RunEnd = "passed" | "failed" | "interrupted";

/** What happens besides runs. */
export type ScheduleEvent<T> =
  | { type: "skipped"; entry: T; slot: number; until: number; why: "maintenance" }
  | { type: "skipped"; entry: T; slot: number; since: number; why: "running" | "waiting" }
  | { type: "missed"; entry: T; first: number; last: number; count: number; isAtLeast: boolean }
  | { type: "ended"; entry: T };
