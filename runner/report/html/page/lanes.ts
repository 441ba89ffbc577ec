import { CASE_STATUSES, type ReportStatus } from "../report_data.ts";
import type { ReportCase } from "./decode.ts";

/** More lanes than these are not drawn; what is left over lies on top of other cases. */
export const MOST_LANES = 24;

/** A case in the picture of the run. */
export interface LaneBar {
  /** Which. */
  reportCase: ReportCase;
  /** Its lane, from 0. */
  lane: number;
}

/** Cases in lanes: in each of them one after another, as far as the lanes go. */
export interface Lanes {
  /** The cases that were begun, as they startedAt. */
  bars: LaneBar[];
  /** How many lanes there are. */
  count: number;
}

/** Puts each case in the first lane that is free when it begins. */
export function layoutLanes(cases: readonly ReportCase[], most: number = MOST_LANES): Lanes {
  const begun = cases.filter(({ notStarted }) => !notStarted)
    .sort((a, b) => a.startedAt - b.startedAt || a.position - b.position);
  const free: number[] = [];
  const bars = begun.map((reportCase) => {
    let lane = free.findIndex((at) => at <= reportCase.startedAt);
    if (lane === -1) lane = free.length < most ? free.length : free.indexOf(Math.min(...free));
    free[lane] = Math.max(free[lane] ?? 0, reportCase.endedAt);
    return { reportCase, lane };
  });
  return { bars, count: free.length };
}

/** How much of a column of a lane a status takes: from one share of its height to another one. */
export interface LaneColumn {
  lane: number;
  column: number;
  status: ReportStatus;
  /** From 0, the top, to 1. */
  from: number;
  to: number;
}

/**
 * Cases that are too many to be drawn one by one, as stacks: in each column of time how many endedAt
 * how. The worst is at the bottom, and never so thin that it is not seen.
 * @param total How long the time axis is, in milliseconds.
 * @param columns How many columns it has.
 * @param least The least share of a status that is there.
 */
export function stackLanes(
  { bars }: Lanes,
  { total, columns, least }: { total: number; columns: number; least: number },
): LaneColumn[] {
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
  const stacks: LaneColumn[] = [];
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

/** The case at a place of the picture; where several are, the one that endedAt worst. */
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
