import type { ReportCase } from "./decode.ts";
import { type Filter, FILTERS, type ViewState } from "./state.ts";

/** What a search and some filters leave of the cases. */
export interface Filtered {
  /** The cases to show, in their order. */
  shown: ReportCase[];
  /** How many the search alone finds. */
  found: number;
  /** How many of those each filter would show. */
  counts: Record<Filter, number>;
}

/** Whether a filter lets a case through. */
export function passes(reportCase: ReportCase, filter: Filter): boolean {
  return filter === "flaky"
    ? reportCase.flaky
    : filter === "slow"
    ? reportCase.slow
    : reportCase.status === filter;
}

/** Looks for all words of the search, then for any of the filters. */
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
    : found.filter((reportCase) => filters.some((filter) => passes(reportCase, filter)));
  if (sort === "slow") shown.sort((a, b) => b.duration - a.duration || a.position - b.position);
  return { shown, found: found.length, counts };
}
