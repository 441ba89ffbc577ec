import type { RecipeEvent, Reporter } from "../../runner/mod.ts";
import type { CaseDetails, ReportIndex } from "../../runner/report/html/report_data.ts";
import { openReporter } from "../../runner/report/html/html.ts";

/** Makes the HTML report of some events. */
export function htmlOf(events: Iterable<RecipeEvent>): string {
  const text: string[] = [];
  const output = { isTerminal: false, color: false, columns: 80 };
  const reporter = openReporter({
    output: { write: (piece) => void text.push(piece), ...output },
  }) as Reporter;
  for (const event of events) reporter.report(event);
  reporter.finish!();
  return text.join("");
}

/** Parses the data elements of a report. */
export function dataOf(html: string): { run: ReportIndex; cases: CaseDetails[] } {
  const json = (id: string) =>
    new RegExp(`<script type="application/json" id="${id}">([^<]*)</script>`).exec(html)![1]!;
  return { run: JSON.parse(json("run")), cases: JSON.parse(json("cases")) };
}
