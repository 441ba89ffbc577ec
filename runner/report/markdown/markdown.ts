import type { RunSummary } from "../run_summary.ts";
import { SummaryReporter } from "../summary_reporter.ts";
import { renderMarkdown } from "./render.ts";

/** GitHub takes no larger summary, and people read none. */
export const MOST_BYTES: number = 1024 * 1024;

/** A run as a page of Markdown, written when it has ended. */
export class MarkdownReporter extends SummaryReporter {
  protected override write(run: RunSummary): void {
    this.output.write(renderMarkdown(run, MOST_BYTES));
  }
}
