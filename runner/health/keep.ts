import type { HealthDatabase } from "./health_database.ts";
import { deleteDiagnostics, deleteRuns, makeRoom, nthNewest, shrink } from "./make_room.ts";
import { countRuns, DAY, HOUR, joinHours } from "./periods.ts";
import type { RetentionClock } from "./retention_clock.ts";

/** How long and how much is kept. */
export interface KeepLimits {
  /** Milliseconds after which runs, incidents and figures are deleted. */
  readonly ms: number;
  /** How many bytes the file may have; the oldest runs of each check are deleted first. */
  readonly bytes?: number;
}

/** Where the work goes on. */
export interface KeepProgress {
  /** The checks whose turn is to come, by row. */
  rows: number[];
  /** The time by which this round finds what is old, in milliseconds since 1970. */
  time: number;
  /** When the next round may begin, by a clock that nobody sets. */
  nextRound: number;
  /** Whether the file has room that is given back. */
  isShrinking: boolean;
}

/** The clocks that the work goes by, in milliseconds since 1970. */
export interface KeepTimes {
  /** The wall clock. */
  now: number;
  /** A clock that nobody sets; see `steadyTime`. */
  at: number;
  /** The clock that says what is old. */
  retention: RetentionClock;
}

/** How many of the newest runs of each check are kept, and how many that failed. */
const [KEPT_RUNS, KEPT_FAILURES] = [200, 1_000];

/** How many of those that failed keep what the console showed about them. */
const KEPT_DIAGNOSTICS = 50;

/** How many of the newest incidents of each check are kept. */
const KEPT_INCIDENTS = 500;

/** The time between two rounds, in milliseconds. */
const ROUND = HOUR / 4;

/** Nothing done yet. */
export function startKeeping(): KeepProgress {
  return { rows: [], time: 0, nextRound: 0, isShrinking: false };
}

/** Whether there is work, so that the file is left alone while there is none. */
export function isKeepingDue(
  { rows, nextRound, isShrinking }: KeepProgress,
  at: number,
): boolean {
  return rows.length > 0 || isShrinking || at >= nextRound;
}

/**
 * Does the work for one check: counts its runs by hour and day, deletes what is too old, and gives back
 * a bit of the room. A call takes a few milliseconds, so that no check waits for it; a round through all
 * checks begins every 15 minutes.
 */
export function keep(
  database: HealthDatabase,
  progress: KeepProgress,
  limits: KeepLimits,
  { now, at, retention }: KeepTimes,
): void {
  const row = progress.rows.pop();
  if (row !== undefined) {
    countRuns(database, row, now);
    joinHours(database, row, progress.time);
    deleteOld(database, row, progress.time - limits.ms);
    deleteMany(database, row);
    // As long as that helps, the next round follows at once.
    const isTight = limits.bytes !== undefined && makeRoom(database, row, limits.bytes);
    if (isTight) progress.nextRound = at;
  } else if (at >= progress.nextRound) {
    progress.rows = database.all("SELECT id FROM health_check").map(({ id }) => id as number);
    progress.time = retention.read(database);
    progress.nextRound = at + ROUND;
  }
  progress.isShrinking = shrink(database, limits.bytes);
}

function deleteOld(database: HealthDatabase, row: number, before: number): void {
  database.run("DELETE FROM health_period WHERE check_id = ? AND start + ms < ?", row, before);
  database.run(
    "DELETE FROM health_incident WHERE check_id = ? AND resolved_at < ?",
    ...[row, before],
  );
  // Runs that no period has counted are never deleted, however many there are.
  database.run(
    `DELETE FROM health_run WHERE check_id = ?1 AND at < ?2
     AND id <= (SELECT counted_run FROM health_check WHERE id = ?1)`,
    ...[row, before],
  );
}

/** Deletes runs beyond the newest ones. */
function deleteMany(database: HealthDatabase, row: number): void {
  const passed = nthNewest(database, row, "1", KEPT_RUNS);
  if (passed !== undefined) deleteRuns(database, row, passed, "verdict = 'passed'");
  const failed = nthNewest(database, row, "verdict <> 'passed'", KEPT_FAILURES);
  if (failed !== undefined) deleteRuns(database, row, failed, "1");
  const shown = nthNewest(database, row, "diagnostics IS NOT NULL", KEPT_DIAGNOSTICS);
  if (shown !== undefined) deleteDiagnostics(database, row, shown);
  database.run(
    `DELETE FROM health_incident WHERE check_id = ?1 AND resolved_at IS NOT NULL AND raised_at < (
       SELECT raised_at FROM health_incident WHERE check_id = ?1
       ORDER BY raised_at DESC LIMIT 1 OFFSET ?2)`,
    ...[row, KEPT_INCIDENTS - 1],
  );
}

/** How long is kept by default, in milliseconds. */
export const DEFAULT_KEEP = 90 * DAY;
