import { appendTextFile, pathKind, readTextFile } from "../../../runtime/file.ts";
import { currentDirectory } from "../../../runtime/process.ts";
import { MOST_BYTES } from "../markdown/markdown.ts";
import { renderMarkdown } from "../markdown/render.ts";
import type { ReporterContext } from "../registry.ts";
import type { RunSummary } from "../run_summary.ts";
import { SummaryReporter } from "../summary_reporter.ts";
import { annotationCommand, pathInRepository } from "./annotation.ts";
import { annotationsOf } from "./annotations.ts";

/**
 * Annotations beside the lines of the recipes and a summary of the job, in GitHub Actions. Written
 * when the run has ended.
 */
export class GitHubReporter extends SummaryReporter {
  #env: ReporterContext["env"];

  /** Prints to an output, and appends to the file that `GITHUB_STEP_SUMMARY` names. */
  constructor({ output, env }: Pick<ReporterContext, "output" | "env">) {
    super(output);
    this.#env = env;
  }

  protected override async write(run: RunSummary): Promise<void> {
    const directory = currentDirectory();
    const workspace = this.#env("GITHUB_WORKSPACE");
    const pathOf = (file: string) => pathInRepository(file, directory, workspace);
    for (const annotation of annotationsOf(run, pathOf)) {
      this.output.write(`${annotationCommand(annotation)}\n`);
    }
    const file = this.#env("GITHUB_STEP_SUMMARY");
    if (file) await appendSummary(file, run);
  }
}

/** GitHub shows nothing of a summary that is too large, what other commands wrote included. */
async function appendSummary(file: string, run: RunSummary): Promise<void> {
  const written = await sizeOf(file);
  const room = MOST_BYTES - written - 1;
  if (room < LEAST_BYTES) throw new SummaryFullError(file);
  await appendTextFile(file, (written > 0 ? "\n" : "") + renderMarkdown(run, room));
}

/** With less room than this a summary says nothing. */
const LEAST_BYTES = 2_000;

/** The summary of a job has no room left; its code is `"summary_full"`. */
class SummaryFullError extends Error {
  readonly code = "summary_full";

  constructor(file: string) {
    super(`Cannot append to file '${file}': GitHub takes no more than 1 MiB for one step`);
    this.name = "SummaryFullError";
  }
}

/** How many bytes other commands of the same step have written. */
async function sizeOf(file: string): Promise<number> {
  if (await pathKind(file) !== "file") return 0;
  return new TextEncoder().encode(await readTextFile(file)).length;
}
