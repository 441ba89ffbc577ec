import { appendTextFile, fileSize } from "../../../runtime/file.ts";
import { currentDirectory } from "../../../runtime/process.ts";
import { MAX_BYTES, renderMarkdown } from "../markdown/markdown.ts";
import type { Reporter, ReporterContext } from "../reporter.ts";
import type { RunSummary } from "../run_summary.ts";
import { summaryReporter, withoutDetails } from "../summarizer.ts";
import { annotationsOf } from "./annotations.ts";
import { pathInRepository, workflowCommand } from "./workflow_command.ts";

/** The counts of a run that are outputs of its step. */
const OUTPUTS = ["passed", "failed", "errored", "unchecked", "skipped", "flaky"] as const;

/**
 * Opens the `github` reporter. When the run has ended it prints annotations for the recipes, and
 * appends the counts of its cases to the file that `GITHUB_OUTPUT` names, and a summary to the one
 * of `GITHUB_STEP_SUMMARY`.
 */
export function openReporter({ output, env }: ReporterContext): Reporter {
  return summaryReporter(withoutDetails, async (head, cases) => {
    const run = { ...head, cases };
    const directory = currentDirectory();
    const workspace = env("GITHUB_WORKSPACE");
    const pathOf = (file: string) => pathInRepository(file, directory, workspace);
    for (const annotation of annotationsOf(run, pathOf)) {
      output.write(`${workflowCommand(annotation)}\n`, "command");
    }
    const outputs = env("GITHUB_OUTPUT");
    if (outputs) await appendOutputs(outputs, run);
    const file = env("GITHUB_STEP_SUMMARY");
    if (file) await appendJobSummary(file, run);
  });
}

/** Later steps of a workflow read the outputs: `steps.recipes.outputs.failed`. */
async function appendOutputs(file: string, { counts }: RunSummary): Promise<void> {
  // What others have written may have no end of line.
  const start = await fileSize(file) > 0 ? "\n" : "";
  await appendTextFile(file, start + OUTPUTS.map((name) => `${name}=${counts[name]}\n`).join(""));
}

/** GitHub shows nothing if all commands of the step together write more than its limit. */
async function appendJobSummary(file: string, run: RunSummary): Promise<void> {
  // What other commands of the same step have written counts too.
  const size = await fileSize(file);
  const room = MAX_BYTES - size - 1;
  if (room < MIN_BYTES) throw new SummaryFullError(file);
  await appendTextFile(file, (size > 0 ? "\n" : "") + renderMarkdown(run, room));
}

/** A summary shorter than this is of no use. */
const MIN_BYTES = 2_000;

/** The job summary has no room left; its code is `"summary_full"`. */
class SummaryFullError extends Error {
  readonly code = "summary_full";

  constructor(file: string) {
    super(`Cannot append to file '${file}': GitHub accepts at most 1 MiB per step`);
    this.name = "SummaryFullError";
  }
}
