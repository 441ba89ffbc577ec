import type { Reporter, ReporterContext } from "../reporter.ts";
import { summaryReporter } from "../summarizer.ts";

/** Opens the `json` reporter, which writes one document when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  return summaryReporter((run) => output.write(`${JSON.stringify(run, undefined, 2)}\n`));
}
