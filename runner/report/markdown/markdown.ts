import { isExcused } from "../../events/failure.ts";
import { formatDuration } from "../../language/duration.ts";
import {
  attemptLine,
  caseVerdict,
  failureLines,
  quarantineText,
  runVerdict,
  stepLine,
} from "../plain_text.ts";
import type { Reporter, ReporterContext } from "../reporter.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import { summaryReporter, withoutDetails } from "../summarizer.ts";
import { codeBlock, codeSpan, codeSpanInCell } from "./literal.ts";

/** The largest report: GitHub accepts no more as the summary of a step. */
export const MAX_BYTES: number = 1024 * 1024;
/** With more cases than this the table leaves out those that passed. */
const MAX_ROWS = 500;
/** The bytes reserved for notes about what is left out. */
const RESERVED_BYTES = 500;

/** Opens the `markdown` reporter, which writes a page when the run has ended. */
export function openReporter({ output }: ReporterContext): Reporter {
  return summaryReporter(
    withoutDetails,
    (run, cases) => output.write(renderMarkdown({ ...run, cases }, MAX_BYTES)),
  );
}

/**
 * Renders a run as Markdown: a table of the cases, then every failure in full. It leaves out what
 * does not fit, and says so.
 *
 * @param maxBytes The maximum size in UTF-8.
 */
export function renderMarkdown(run: RunSummary, maxBytes: number): string {
  const page = new Page(maxBytes - RESERVED_BYTES);
  page.add(`## ${runVerdict(run)}\n\n`);
  if (run.interrupted) {
    page.add("**The run was interrupted, so this report is incomplete.**\n\n");
  }
  addTable(page, run.cases);
  const failed = run.cases.filter(({ status }) => status !== "passed" && status !== "skipped");
  const [excused, others] = [failed.filter(isExcused), failed.filter((one) => !isExcused(one))];
  addSection(page, "Not passed", others.map(failureSection));
  addSection(page, "Failed in quarantine", excused.map(failureSection));
  const flaky = run.cases.filter(({ flaky }) => flaky);
  addSection(page, "Flaky", flaky.map(retryList));
  const warnings = [
    ...run.cases.flatMap((summary) =>
      [...summary.retries ?? [], summary].flatMap(({ warnings }) => warnings)
        .map((text) => `- ${codeSpan(summary.name)}: ${codeSpan(text)}\n`)
    ),
    ...run.warnings.map((text) => `- ${codeSpan(text)}\n`),
  ];
  addSection(page, "Warnings", warnings);
  return page.text();
}

/** Collects parts of a page up to a size. */
class Page {
  #parts: string[] = [];
  #room: number;
  #encoder = new TextEncoder();

  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  /** Adds a part if it fits; returns whether it did. */
  add(part: string): boolean {
    const size = this.#encoder.encode(part).length;
    if (size > this.#room) return false;
    this.#room -= size;
    this.#parts.push(part);
    return true;
  }

  /** Adds a note about parts that do not fit, from the reserved bytes. */
  note(text: string): void {
    this.#parts.push(`\n_${text}_\n`);
  }

  text(): string {
    return this.#parts.join("");
  }
}

function addTable(page: Page, cases: readonly CaseSummary[]): void {
  if (cases.length === 0) return;
  const rows = cases.length <= MAX_ROWS
    ? cases
    : cases.filter(({ status, flaky }) => status !== "passed" || flaky).slice(0, MAX_ROWS);
  page.add("| Result | Case | File | Time |\n| --- | --- | --- | ---: |\n");
  let added = 0;
  for (const summary of rows) {
    if (!page.add(tableRow(summary))) break;
    added++;
  }
  if (added < cases.length) {
    page.note(`This table leaves out ${cases.length - added} of ${cases.length} cases.`);
  }
}

const RESULTS: Readonly<Record<CaseSummary["status"], string>> = {
  passed: "passed",
  failed: "**failed**",
  errored: "**could not run**",
  unchecked: "**checked nothing**",
  interrupted: "**interrupted**",
  skipped: "not started",
};

function tableRow(summary: CaseSummary): string {
  const { status, flaky, name, file, duration_ms, quarantine } = summary;
  const word = isExcused(summary) ? RESULTS[status].replaceAll("*", "") : RESULTS[status];
  const result = `${word}${flaky ? ", flaky" : ""}${quarantine ? ", in quarantine" : ""}`;
  const time = status === "skipped" ? "" : formatDuration(duration_ms);
  return `| ${result} | ${codeSpanInCell(name)} | ${codeSpanInCell(file)} | ${time} |\n`;
}

function failureSection(summary: CaseSummary): string {
  const { name, status, failure, steps, logs, retries = [] } = summary;
  const lines = summary.quarantine ? [quarantineText(summary.quarantine), ""] : [];
  lines.push(...(failure ? failureLines(failure) : [caseVerdict(summary)]));
  for (const step of steps) {
    const isFailureOfCase = step.step === failure?.step && !step.soft;
    if (!step.failure || isFailureOfCase) continue;
    lines.push("", stepLine(step), ...failureLines(step.failure).map((line) => `  ${line}`));
  }
  if (retries.length > 0) lines.push("", "earlier attempts:", ...retries.map(attemptLine));
  if (steps.length > 0) lines.push("", "steps:", ...steps.map((step) => `  ${stepLine(step)}`));
  if (logs.length > 0) {
    lines.push("", "log:", ...logs.map(({ step, text }) => `  ${step}: ${text}`));
  }
  const result = RESULTS[status].replaceAll("*", "");
  return `#### ${result}: ${codeSpan(name)}\n\n${codeBlock(lines)}\n`;
}

function retryList({ name, steps, retries: attempts = [] }: CaseSummary): string {
  const earlier = attempts.map((attempt) => `  - ${codeSpan(attemptLine(attempt))}\n`);
  const retries = steps.flatMap(({ label, retries }) =>
    retries.map(({ attempt, failure }) =>
      `  - attempt ${attempt} of ${codeSpan(label)}: ${codeSpan(failure.message)}\n`
    )
  );
  return `- ${codeSpan(name)}\n${earlier.join("")}${retries.join("")}`;
}

function addSection(page: Page, title: string, parts: readonly string[]): void {
  if (parts.length === 0) return;
  let added = 0;
  if (page.add(`\n### ${title}\n\n`)) {
    for (const part of parts) {
      if (!page.add(part)) break;
      added++;
    }
  }
  const dropped = parts.length - added;
  if (dropped > 0) page.note(`${title}: ${dropped} more do not fit into this report.`);
}
