import type { Reporter, ReporterContext } from "../reporter.ts";
import { writePieces } from "../report_file.ts";
import { documentChunks } from "./document.ts";
import { RunCollector } from "./run_collector.ts";

/** Opens the `html` reporter, which writes one self-contained page when the run has ended. */
export function openReporter({ output }: Pick<ReporterContext, "output">): Reporter {
  const collector = new RunCollector();
  return {
    report: (event) => collector.report(event),
    finish() {
      const run = collector.finish();
      writePieces(output, () => documentChunks(run));
    },
  };
}
