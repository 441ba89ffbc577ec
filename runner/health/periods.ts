import type { HealthDatabase } from "./health_database.ts";
import { Histogram } from "./histogram.ts";
import type { Check, CheckFigures, Figures } from "./model.ts";

/** Milliseconds of the periods that runs are counted by. */
export const [HOUR, DAY] = [3_600_000, 86_400_000];

/** Milliseconds of the longest figures. */
const QUARTER = 90 * DAY;

/** The runs of a period, counted. */
interface Counts {
  runs: number;
  passed: number;
  durations: Histogram;
}

/**
 * Counts the runs of a check that no period has yet, up to the first one of this hour, and returns how
 * many. Later hours than this one are over, too: a clock was set back since.
 */
export function countRuns(database: HealthDatabase, check: number, now: number): number {
  const { counted_run: counted } = database.get(
    "SELECT counted_run FROM health_check WHERE id = ?",
    check,
  )!;
  const rows = database.all(
    `SELECT id, at, verdict, duration_ms FROM health_run
     WHERE check_id = ?1 AND id > ?2 AND id < coalesce(
       (SELECT min(id) FROM health_run
        WHERE check_id = ?1 AND id > ?2 AND at >= ?3 AND at < ?3 + ?4), ?5)
     ORDER BY id LIMIT 2000`,
    ...[check, counted, start(now, HOUR), HOUR, Number.MAX_SAFE_INTEGER],
  );
  const hours = new Map<number, Counts>();
  for (const row of rows) {
    const at = start(row.at, HOUR);
    if (!hours.has(at)) hours.set(at, noRuns());
    countRun(hours.get(at)!, row as RunRow);
  }
  for (const [at, counts] of hours) addPeriod(database, check, HOUR, at, counts);
  const last = rows.at(-1);
  if (last) database.run("UPDATE health_check SET counted_run = ? WHERE id = ?", last.id, check);
  return rows.length;
}

/** Joins the hours of days that lie more than a week back. */
export function joinHours(database: HealthDatabase, check: number, now: number): void {
  const before = start(now - 8 * DAY, DAY);
  const rows = database.all(
    `SELECT start, runs, passed, durations FROM health_period
     WHERE check_id = ? AND ms = ? AND start < ? ORDER BY start LIMIT 240`,
    ...[check, HOUR, before],
  );
  const days = new Map<number, Counts>();
  for (const row of rows) {
    const at = start(row.start, DAY);
    if (!days.has(at)) days.set(at, noRuns());
    countPeriod(days.get(at)!, row as PeriodRow);
  }
  for (const [at, counts] of days) addPeriod(database, check, DAY, at, counts);
  if (rows.length === 0) return;
  database.run(
    "DELETE FROM health_period WHERE check_id = ? AND ms = ? AND start <= ?",
    ...[check, HOUR, rows.at(-1)!.start],
  );
}

/** Reads the figures of a check. */
export function figuresOf(database: HealthDatabase, check: Check, now: number): CheckFigures {
  const row = database.rowOf(check);
  // What is later was written while a clock was ahead.
  const last = now + HOUR;
  const figures = { day: noRuns(), week: noRuns(), quarter: noRuns() };
  const spans = [[figures.day, DAY], [figures.week, 7 * DAY], [figures.quarter, QUARTER]] as const;
  const runs = database.all(
    `SELECT at, verdict, duration_ms FROM health_run WHERE check_id = ?1
     AND id > (SELECT counted_run FROM health_check WHERE id = ?1)`,
    row,
  );
  for (const run of runs) {
    if (run.at > last) continue;
    for (const [counts, ms] of spans) if (run.at > now - ms) countRun(counts, run as RunRow);
  }
  const periods = database.all(
    `SELECT start, ms, runs, passed, durations FROM health_period
     WHERE check_id = ? AND start > ? - ms AND start <= ?`,
    ...[row, now - QUARTER, last],
  );
  for (const period of periods) {
    // A period counts where its end lies: it is as exact as an hour, or a day for the quarter.
    for (const [counts, ms] of spans) {
      if (period.start + period.ms > now - ms) countPeriod(counts, period as unknown as PeriodRow);
    }
  }
  return {
    day: toFigures(figures.day),
    week: toFigures(figures.week),
    quarter: toFigures(figures.quarter),
  };
}

interface RunRow {
  verdict: string;
  duration_ms: number;
}

interface PeriodRow {
  runs: number;
  passed: number;
  durations: string;
}

function noRuns(): Counts {
  return { runs: 0, passed: 0, durations: new Histogram() };
}

function countRun(counts: Counts, { verdict, duration_ms }: RunRow): void {
  counts.runs++;
  if (verdict !== "passed") return;
  counts.passed++;
  counts.durations.add(duration_ms);
}

function countPeriod(counts: Counts, { runs, passed, durations }: PeriodRow): void {
  counts.runs += runs;
  counts.passed += passed;
  counts.durations.merge(Histogram.parse(durations));
}

/** Adds counts to a period, which may exist: a clock that is set back repeats an hour. */
function addPeriod(
  database: HealthDatabase,
  check: number,
  ms: number,
  at: number,
  counts: Counts,
): void {
  const known = database.get(
    `SELECT runs, passed, durations FROM health_period
     WHERE check_id = ? AND ms = ? AND start = ?`,
    ...[check, ms, at],
  );
  if (known) countPeriod(counts, known as PeriodRow);
  database.run(
    "INSERT OR REPLACE INTO health_period VALUES (?, ?, ?, ?, ?, ?)",
    ...[check, ms, at, counts.runs, counts.passed, String(counts.durations)],
  );
}

function toFigures({ runs, passed, durations }: Counts): Figures {
  const [p50, p95] = [durations.quantile(0.5), durations.quantile(0.95)];
  return {
    runs,
    ...(runs === 0 ? {} : { uptime: passed / runs }),
    ...(p50 === undefined ? {} : { p50_ms: roundMs(p50) }),
    ...(p95 === undefined ? {} : { p95_ms: roundMs(p95) }),
  };
}

/** Rounds milliseconds to a tenth: clocks have more digits than anybody reads. */
export function roundMs(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** The start of the period that contains a time. */
function start(at: number, ms: number): number {
  return Math.floor(at / ms) * ms;
}
