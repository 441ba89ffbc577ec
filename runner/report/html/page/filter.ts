import type { ReportCase } from "./decode.ts";
import { type Filter, FILTERS, type ViewState } from "./state.ts";

/** The cases that match the search and the filters. */
export interface Filtered {
  /** The cases to show, in order. */
  shown: ReportCase[];
  /** The number of cases that match the search. */
  found: number;
  /** For each filter, how many of these it matches. */
  counts: Record<Filter, number>;
}

/** Whether a case matches a filter. */
export function matchesFilter(reportCase: ReportCase, filter: Filter): boolean {
  return filter === "flaky"
    ? reportCase.flaky
    : filter === "slow"
    ? reportCase.slow
    : reportCase.status === filter;
}

/** Finds the cases that contain every word of the search and match at least one active filter. */
export function filterCases(
  cases: readonly ReportCase[],
  { query, filters, sort }: Pick<ViewState, "query" | "filters" | "sort">,
): Filtered {
  const words = query.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const found = cases.filter(({ searched }) => words.every((word) => searched.includes(word)));
  const counts = {} as Record<Filter, number>;
  for (const filter of FILTERS) counts[filter] = 0;
  for (const reportCase of found) {
    counts[reportCase.status]++;
    if (reportCase.flaky) counts.flaky++;
    if (reportCase.slow) counts.slow++;
  }
  const shown = filters.length === 0
    ? found
    : found.filter((reportCase) => filters.some((filter) => matchesFilter(reportCase, filter)));
  if (sort === "slow") shown.sort((a, b) => b.duration - a.duration || a.position - b.position);
  return { shown, found: found.length, counts };
}
