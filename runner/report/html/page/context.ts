import type { CaseDetails, ReportIndex } from "../report_data.ts";
import { decodeCases, type ReportCase } from "./decode.ts";
import type { Filtered } from "./filter.ts";
import type { ViewState } from "./state.ts";
import { Times } from "./times.ts";

/** The data and state that all parts of the page share. */
export interface ReportContext {
  /** The run. */
  readonly index: ReportIndex;
  /** Its cases. */
  readonly cases: readonly ReportCase[];
  /** Formats times of the run. */
  readonly times: Times;
  /** Parses the details of a case. */
  details(reportCase: ReportCase): CaseDetails;
  /** What the page shows now. */
  state(): ViewState;
  /** The cases in the list. */
  filtered(): Filtered;
  /** Changes a part of the view. */
  change(part: Partial<ViewState>): void;
}

/** Reads the data elements of the page. */
export function readReport(): Pick<ReportContext, "index" | "cases" | "times" | "details"> {
  const index = JSON.parse(dataOf("run")) as ReportIndex;
  // The first line is `[`, the last one `]`, and each line between them is a case.
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
