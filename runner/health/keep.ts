import type { HealthDatabase } from "./health_database.ts";
import { countRuns, DAY, HOUR, joinHours } from "./periods.ts";
import type { RetentionClock } from "./retention_clock.ts";

/** How long and how much is kept. */
export interface KeepLimits {
  /** Milliseconds after which runs, incidents and figures are deleted. */
  readonly ms: number;
  /** How many bytes the file may hold; the oldest runs of each check are deleted first. */
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

/** The time between two rounds, in milliseconds. */
const ROUND = HOUR / 4;

/** How many runs are deleted at once to make room. */
const PORTION = 500;

/** Nothing done yet. */
export function startKeeping(): KeepProgress {
  return { rows: [], time: 0, nextRound: 0 };
}

/** Whether there is work, so that the file is left alone while there is none. */
export function isKeepingDue({ rows, nextRound }: KeepProgress, at: number): boolean {
  return rows.length > 0 || at >= nextRound;
}

/**
 * Does the work for one check: counts its runs by hour and day and deletes what is too old. A call takes
 * about a millisecond, so that no check waits for it; a round through all checks begins every 15
 * minutes.
 */
export function keep(
  database: HealthDatabase,
  progress: KeepProgress,
  limits: KeepLimits,
  { now, at, retention }: KeepTimes,
): void {
  const row = progress.rows.pop();
  if (row === undefined) {
    progress.rows = database.all("SELECT id FROM health_check").map(({ id }) => id as number);
    progress.time = retention.read(database);
    progress.nextRound = at + ROUND;
    return;
  }
  countRuns(database, row, now);
  joinHours(database, row, progress.time);
  deleteOld(database, row, progress.time - limits.ms);
  deleteMany(database, row);
  if (limits.bytes !== undefined) makeRoom(database, row, limits.bytes);
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
  if (shown === undefined) return;
  database.run(
    "UPDATE health_run SET diagnostics = NULL WHERE check_id = ? AND id <= ? AND diagnostics IS NOT NULL",
    ...[row, shown],
  );
}

/** Deletes the oldest runs of a check while the file holds more than it may. */
function makeRoom(database: HealthDatabase, row: number, bytes: number): void {
  const pragma = (name: string) => Number(database.get(`PRAGMA ${name}`)![name]);
  const used = (pragma("page_count") - pragma("freelist_count")) * pragma("page_size");
  if (used <= bytes) return;
  const oldest = database.get(
    "SELECT id FROM health_run WHERE check_id = ? ORDER BY id LIMIT 1 OFFSET ?",
    ...[row, PORTION],
  )?.id ?? nthNewest(database, row, "1", KEPT_RUNS / 4);
  if (oldest !== undefined) deleteRuns(database, row, oldest, "1");
}

/** Returns the row of the run that comes after the `count` newest ones for which a condition holds. */
function nthNewest(
  database: HealthDatabase,
  row: number,
  condition: string,
  count: number,
): number | undefined {
  return database.get(
    `SELECT id FROM health_run WHERE check_id = ? AND ${condition}
     ORDER BY id DESC LIMIT 1 OFFSET ?`,
    ...[row, count],
  )?.id;
}

/** Deletes the counted runs of a check up to a row, those for which a condition holds. */
function deleteRuns(database: HealthDatabase, row: number, last: number, condition: string): void {
  database.run(
    `DELETE FROM health_run WHERE check_id = ?1 AND id <= ?2 AND ${condition}
     AND id <= (SELECT counted_run FROM health_check WHERE id = ?1)`,
    ...[row, last],
  );
}

/** How long is kept by default, in milliseconds. */
export const DEFAULT_KEEP = 90 * DAY;
