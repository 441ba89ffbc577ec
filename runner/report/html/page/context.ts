import type { CaseDetails, ReportIndex } from "../report_data.ts";
import { decodeCases, type ReportCase } from "./decode.ts";
import type { Filtered } from "./filter.ts";
import type { ViewState } from "./state.ts";
import { Times } from "./times.ts";

/** What the parts of the page share. */
export interface ReportContext {
  /** The run. */
  readonly index: ReportIndex;
  /** Its cases. */
  readonly cases: readonly ReportCase[];
  /** Tells times. */
  readonly times: Times;
  /** Everything about a case. */
  details(reportCase: ReportCase): CaseDetails;
  /** What is looked at. */
  state(): ViewState;
  /** What the list shows. */
  filtered(): Filtered;
  /** Looks at something else. */
  change(part: Partial<ViewState>): void;
}

/** Reads what is in the page. */
export function readReport(): Pick<ReportContext, "index" | "cases" | "times" | "details"> {
  const index = JSON.parse(dataOf("run")) as ReportIndex;
  // `[`, then a line for each case, then `]`.
  const lines = dataOf("cases").trim().split("\n");
  return {
    index,
    cases: decodeCases(index),
    times: new Times(index),
    details: ({ position }) => JSON.parse(lines[position + 1]!.replace(/,$/, "")) as CaseDetails,
  };
}

function dataOf(id: string): string {
  return document.getElementById(id)!.textContent ?? "";
}
