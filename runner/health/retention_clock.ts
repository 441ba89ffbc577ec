import type { Clock } from "../../runtime/clock.ts";
import { steadyTime } from "../../runtime/steady_time.ts";
import type { HealthDatabase } from "./health_database.ts";

/** How much faster than time passes it follows the wall clock. */
const SPEED = 4;

/**
 * The time by which a history grows old. It is kept in the history and follows the wall clock, but at
 * most four times as fast as time passes for a process that works on it. So a clock that is a year ahead
 * for an hour deletes four hours too much, and not a year; and after a long stop it catches up.
 */
export class RetentionClock {
  #clock: Clock;
  #steady: () => number;
  #last: number;

  /** Creates a clock for a process. */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#steady = steadyTime(clock);
    this.#last = this.#steady();
  }

  /** Moves the time of a history on, and returns it, in milliseconds since 1970. */
  read(database: HealthDatabase): number {
    const [wall, steady] = [this.#clock.now(), this.#steady()];
    const most = (steady - this.#last) * SPEED;
    this.#last = steady;
    const before = recorded(database);
    const time = before === undefined
      ? newestRun(database) ?? wall
      : before + Math.max(-most, Math.min(most, wall - before));
    database.run("DELETE FROM health_retention");
    database.run("INSERT INTO health_retention VALUES (?)", Math.round(time));
    // Nothing is old for a clock that was set back.
    return Math.min(time, wall);
  }
}

function recorded(database: HealthDatabase): number | undefined {
  return database.get("SELECT at FROM health_retention")?.at;
}

function newestRun(database: HealthDatabase): number | undefined {
  return database.get("SELECT at FROM health_run ORDER BY id DESC LIMIT 1")?.at;
}
