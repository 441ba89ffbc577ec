import type { RunSummary } from "../run_summary.ts";
import { SummaryReporter } from "../summary_reporter.ts";

/** A run as one JSON document, written when it has ended. */
export class JsonReporter extends SummaryReporter {
  protected override write(run: RunSummary): void {
    this.output.write(`${JSON.stringify(run, undefined, 2)}\n`);
  }
}
