import { CASE_STATUSES, type ReportStatus } from "../report_data.ts";

/** The filters of the list. */
export const FILTERS = [...CASE_STATUSES, "flaky", "slow"] as const;

/** A filter of the list: a status or a property of a case. */
export type Filter = ReportStatus | "flaky" | "slow";

/** What the page shows. All of it is in the address, so that a view can be shared. */
export interface ViewState {
  /** The text of the search. */
  query: string;
  /** The active filters; an empty list shows all cases. */
  filters: Filter[];
  /** The order of the list: by number, or the slowest case first. */
  sort: "run" | "slow";
  /** The number of the case that is open. */
  open: number | undefined;
}

/** Reads a view from the hash of an address, and ignores invalid parts. */
export function readHash(hash: string): ViewState {
  const parts = new URLSearchParams(hash.replace(/^#/, ""));
  const named = (parts.get("status") ?? "").split(",");
  const open = parts.get("case");
  return {
    query: parts.get("q") ?? "",
    filters: FILTERS.filter((filter) => named.includes(filter)),
    sort: parts.get("sort") === "slow" ? "slow" : "run",
    open: open !== null && /^\d{1,9}$/.test(open) ? Number(open) : undefined,
  };
}

/** Writes a view as the hash of an address, without parts that have their default. */
export function writeHash({ query, filters, sort, open }: ViewState): string {
  const parts = new URLSearchParams();
  if (query !== "") parts.set("q", query.toWellFormed());
  if (filters.length > 0) parts.set("status", filters.join(","));
  if (sort !== "run") parts.set("sort", sort);
  if (open !== undefined) parts.set("case", String(open));
  // A comma has no meaning in a hash, and is easier to read than `%2C`.
  return parts.size === 0 ? "" : `#${String(parts).replaceAll("%2C", ",")}`;
}
