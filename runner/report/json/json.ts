import type { Reporter, ReporterContext } from "../reporter.ts";
import { summaryReporter } from "../summarizer.ts";
import { writeDocument } from "./document.ts";

/** Opens the `json` reporter, which writes one document when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  return summaryReporter(
    (summary) => JSON.stringify(summary),
    (run, items) => writeDocument(output, run, { key: "cases", depth: 1, items }),
  );
}
