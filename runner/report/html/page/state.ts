import { CASE_STATUSES, type ReportStatus } from "../report_data.ts";

/** What the list can be narrowed to. */
export const FILTERS = [...CASE_STATUSES, "flaky", "slow"] as const;

/** One of them. */
export type Filter = ReportStatus | "flaky" | "slow";

/** What is being looked at; all of it is in the page's address, so that it can be shared. */
export interface ViewState {
  /** The search. */
  query: string;
  /** What the list is narrowed to; nothing means that all is shown. */
  filters: Filter[];
  /** The order of the list: as they ran, or the slowest first. */
  sort: "run" | "slow";
  /** The number of the case that is open. */
  open: number | undefined;
}

/** The state that an address names; what it does not understand is left out. */
export function readHash(hash: string): ViewState {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const asked = (parts.get("status") ?? "").split(",");
  const open = parts.get("case");
  return {
    query: parts.get("q") ?? "",
    filters: FILTERS.filter((filter) => asked.includes(filter)),
    sort: parts.get("sort") === "slow" ? "slow" : "run",
    open: open !== null && /^\d{1,9}$/.test(open) ? Number(open) : undefined,
  };
}

/** The address of a state, without what is so anyway. */
export function writeHash({ query, filters, sort, open }: ViewState): string {
  const parts = new URLSearchParams();
  if (query !== "") parts.set("q", query.toWellFormed());
  if (filters.length > 0) parts.set("status", filters.join(","));
  if (sort !== "run") parts.set("sort", sort);
  if (open !== undefined) parts.set("case", String(open));
  // A comma means nothing in an address, and reads better than its code.
  return parts.size === 0 ? "" : `#${String(parts).replaceAll("%2C", ",")}`;
}
