import type { Reporter, ReporterContext } from "../reporter.ts";
import { safeJson } from "../safe_text.ts";

/** Opens the `jsonl` reporter, which writes each event as one line of JSON when it happens. */
export function openReporter({ output }: ReporterContext): Reporter {
  return { report: (event) => output.write(`${safeJson(event)}\n`) };
}
