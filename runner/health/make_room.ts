import type { HealthDatabase } from "./health_database.ts";

/** How many runs or hours are deleted at once to make room. */
const PORTION = 200;

/**
 * What is deleted of each check to make room, while there is more than so many of them: old runs, then
 * what the console showed about failures, then more runs, then the figures of hours and days.
 */
const [MANY_RUNS, FEW_DIAGNOSTICS, FEW_RUNS, FEW_PERIODS] = [50, 3, 10, 24];

/** How many pages are given back at once. SQLite moves each of them, within a few milliseconds. */
const PAGES = 100;

/** Up to how many pages a file keeps for what comes next, and up to which share of it. */
const [SPARE_PAGES, SPARE_SHARE] = [256, 0.25];

/**
 * Deletes a portion of what is oldest of a check while the file holds more than it may. Returns whether
 * it holds less now.
 */
export function makeRoom(database: HealthDatabase, row: number, bytes: number): boolean {
  const before = usedBytes(database);
  if (before <= bytes) return false;
  deletePortion(database, row);
  return usedBytes(database) < before;
}

function deletePortion(database: HealthDatabase, row: number): void {
  const first = database.get(
    "SELECT id FROM health_run WHERE check_id = ? ORDER BY id LIMIT 1 OFFSET ?",
    ...[row, PORTION],
  )?.id ?? Infinity;
  const many = nthNewest(database, row, "1", MANY_RUNS);
  if (many !== undefined) return deleteRuns(database, row, Math.min(many, first), "1");
  const shown = nthNewest(database, row, "diagnostics IS NOT NULL", FEW_DIAGNOSTICS);
  if (shown !== undefined) return deleteDiagnostics(database, row, shown);
  const few = nthNewest(database, row, "1", FEW_RUNS);
  if (few !== undefined) return deleteRuns(database, row, few, "1");
  database.run(
    `DELETE FROM health_period WHERE check_id = ?1 AND start < (
       SELECT start FROM health_period WHERE check_id = ?1 ORDER BY start DESC LIMIT 1 OFFSET ?2)
     AND start <= (
       SELECT max(start) FROM (
         SELECT start FROM health_period WHERE check_id = ?1 ORDER BY start LIMIT ?3))`,
    ...[row, FEW_PERIODS - 1, PORTION / 4],
  );
}

/**
 * Makes the file smaller by some of the room that was deleted in it. Some room stays, so that the file
 * does not shrink and grow by turns. Returns whether there is more.
 *
 * @param bytes How many bytes the file may have.
 */
export function shrink(database: HealthDatabase, bytes = Infinity): boolean {
  const excess = () => {
    const { pages, free, size } = sizeOf(database);
    const spare = Math.max(SPARE_PAGES, pages * SPARE_SHARE);
    return Math.max(free - spare, Math.min(free, pages - bytes / size));
  };
  const before = excess();
  // A file that was created otherwise cannot shrink.
  if (before < 1 || database.get("PRAGMA auto_vacuum")!.auto_vacuum !== 2) return false;
  // On Deno `exec` gives back one page only.
  database.sql.prepare(`PRAGMA incremental_vacuum(${Math.min(PAGES, Math.ceil(before))})`).all();
  return excess() >= 1;
}

function usedBytes(database: HealthDatabase): number {
  const { pages, free, size } = sizeOf(database);
  return (pages - free) * size;
}

/** The number of pages of a file, how many of them are free, and how many bytes one has. */
function sizeOf(database: HealthDatabase): { pages: number; free: number; size: number } {
  const pragma = (name: string) => Number(database.get(`PRAGMA ${name}`)![name]);
  return {
    ...{ pages: pragma("page_count"), free: pragma("freelist_count") },
    size: pragma("page_size"),
  };
}

/** Returns the row of the run that comes after the `count` newest ones for which a condition holds. */
export function nthNewest(
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
export function deleteRuns(
  database: HealthDatabase,
  row: number,
  last: number,
  condition: string,
): void {
  database.run(
    `DELETE FROM health_run WHERE check_id = ?1 AND id <= ?2 AND ${condition}
     AND id <= (SELECT counted_run FROM health_check WHERE id = ?1)`,
    ...[row, last],
  );
}

/** Deletes what the console showed about failures of a check, up to a row. */
export function deleteDiagnostics(database: HealthDatabase, row: number, last: number): void {
  database.run(
    "UPDATE health_run SET diagnostics = NULL WHERE check_id = ? AND id <= ? AND diagnostics IS NOT NULL",
    ...[row, last],
  );
}
