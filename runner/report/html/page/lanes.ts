import { CASE_STATUSES } from "../data.ts";
import type { ReportCase } from "./decode.ts";

/** More lanes than these are not drawn; what is left over lies on top of other cases. */
export const MOST_LANES = 24;

/** A case in the picture of the run. */
export interface LaneBar {
  /** Which. */
  one: ReportCase;
  /** Its lane, from 0. */
  lane: number;
}

/** Cases in lanes: in each of them one after another, as far as the lanes go. */
export interface Lanes {
  /** The cases that were begun, as they began. */
  bars: LaneBar[];
  /** How many lanes there are. */
  count: number;
}

/** Puts each case in the first lane that is free when it begins. */
export function layoutLanes(cases: readonly ReportCase[], most: number = MOST_LANES): Lanes {
  const begun = cases.filter(({ unbegun }) => !unbegun)
    .sort((a, b) => a.began - b.began || a.position - b.position);
  const free: number[] = [];
  const bars = begun.map((one) => {
    let lane = free.findIndex((at) => at <= one.began);
    if (lane === -1) lane = free.length < most ? free.length : free.indexOf(Math.min(...free));
    free[lane] = Math.max(free[lane] ?? 0, one.ended);
    return { one, lane };
  });
  return { bars, count: free.length };
}

/** The case at a place of the picture; where several are, the one that ended worst. */
export function caseAt(
  { bars, count }: Lanes,
  at: { time: number; lane: number; reach: number },
): ReportCase | undefined {
  const lane = Math.min(count - 1, Math.max(0, at.lane));
  let best: ReportCase | undefined;
  for (const bar of bars) {
    const { one } = bar;
    if (bar.lane !== lane || one.began - at.reach > at.time || one.ended + at.reach < at.time) {
      continue;
    }
    if (!best || rank(one) < rank(best)) best = one;
  }
  return best;
}

function rank({ status }: ReportCase): number {
  return CASE_STATUSES.indexOf(status);
}
