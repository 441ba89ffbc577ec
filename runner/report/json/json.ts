import type { Reporter, ReporterContext } from "../reporter.ts";
import { safeJson } from "../safe_text.ts";
import { summaryReporter } from "../summarizer.ts";

/** Opens the `json` reporter, which writes one document when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  return summaryReporter((run) => output.write(`${safeJson(run, 2)}\n`));
}
