import { CASE_STATUSES, type ReportStatus } from "../report_data.ts";
import type { ReportCase } from "./decode.ts";

/** The most lanes that are drawn; further cases overlap others. */
export const MAX_LANES = 24;

/** A case in the chart of the run. */
export interface LaneBar {
  /** The case. */
  reportCase: ReportCase;
  /** Its lane, from 0. */
  lane: number;
}

/** Cases in lanes. The cases of a lane do not overlap, unless there are more than the lanes hold. */
export interface Lanes {
  /** The cases that started, in the order they started. */
  bars: LaneBar[];
  /** The number of lanes. */
  count: number;
}

/** Puts each case into the first lane that is free when it starts. */
export function layoutLanes(cases: readonly ReportCase[], most: number = MAX_LANES): Lanes {
  const started = cases.filter(({ notStarted }) => !notStarted)
    .sort((a, b) => a.startedAt - b.startedAt || a.position - b.position);
  const free: number[] = [];
  const bars = started.map((reportCase) => {
    let lane = free.findIndex((at) => at <= reportCase.startedAt);
    if (lane === -1) lane = free.length < most ? free.length : free.indexOf(Math.min(...free));
    free[lane] = Math.max(free[lane] ?? 0, reportCase.endedAt);
    return { reportCase, lane };
  });
  return { bars, count: free.length };
}

/** The part of a column of a lane that shows a status. */
export interface LaneSegment {
  lane: number;
  column: number;
  status: ReportStatus;
  /** Where the part starts, from 0 at the top to 1. */
  from: number;
  to: number;
}

/**
 * Stacks cases when there are too many to draw one by one: each column of time shows the share of
 * each status, with the worst at the bottom. Even a tiny share is drawn thick enough to see.
 *
 * @param total The length of the time axis, in milliseconds.
 * @param columns The number of columns.
 * @param least The smallest share that a status gets.
 */
export function stackLanes(
  { bars }: Lanes,
  { total, columns, least }: { total: number; columns: number; least: number },
): LaneSegment[] {
  const counts = new Map<number, Map<ReportStatus, number>>();
  const columnOf = (at: number) => Math.min(columns - 1, Math.floor(at / total * columns));
  for (const { reportCase, lane } of bars) {
    for (
      let column = columnOf(reportCase.startedAt);
      column <= columnOf(reportCase.endedAt);
      column++
    ) {
      const key = lane * columns + column;
      const here = counts.get(key) ?? new Map<ReportStatus, number>();
      here.set(reportCase.status, (here.get(reportCase.status) ?? 0) + 1);
      counts.set(key, here);
    }
  }
  const stacks: LaneSegment[] = [];
  for (const [key, here] of counts) {
    const sum = [...here.values()].reduce((a, b) => a + b, 0);
    const raw = CASE_STATUSES.filter((status) => here.has(status))
      .map((status) => ({ status, share: Math.max(least, here.get(status)! / sum) }));
    const all = raw.reduce((a, { share }) => a + share, 0);
    let to = 1;
    for (const { status, share } of raw) {
      const from = Math.max(0, to - share / all);
      stacks.push({ lane: Math.floor(key / columns), column: key % columns, status, from, to });
      to = from;
    }
  }
  return stacks;
}

/** Finds the case at a point of the chart; of several, the one with the worst status. */
export function caseAt(
  { bars, count }: Lanes,
  at: { time: number; lane: number; reach: number },
): ReportCase | undefined {
  const lane = Math.min(count - 1, Math.max(0, at.lane));
  let best: ReportCase | undefined;
  for (const bar of bars) {
    const { reportCase } = bar;
    if (
      bar.lane !== lane || reportCase.startedAt - at.reach > at.time ||
      reportCase.endedAt + at.reach < at.time
    ) {
      continue;
    }
    if (!best || rank(reportCase) < rank(best)) best = reportCase;
  }
  return best;
}

function rank({ status }: ReportCase): number {
  return CASE_STATUSES.indexOf(status);
}
