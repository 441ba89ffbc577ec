import { formatDuration } from "../../language/duration.ts";
import { failureLines, runLine, stepLine, verdict } from "../plain_text.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import { code, codeBlock, codeInCell } from "./text.ts";

/** More rows than this are no overview; the cases that passed are left out then. */
const MOST_ROWS = 500;
/** What stays free for the notes that say what was left out. */
const RESERVE = 500;

/**
 * A run as Markdown: a table of the cases, and what failed in full, as far as there is room.
 * @param limit How many bytes it may have, as UTF-8.
 */
export function renderMarkdown(run: RunSummary, limit: number): string {
  const page = new Page(limit - RESERVE);
  page.add(`## ${runLine(run)}\n\n`);
  if (run.interrupted) page.add("**The run was interrupted: it is not complete.**\n\n");
  table(page, run.cases);
  const failed = run.cases.filter(({ status }) => status !== "passed" && status !== "skipped");
  section(page, "What did not pass", failed.map(failureOf));
  const flaky = run.cases.filter((one) => one.flaky);
  section(page, "Flaky", flaky.map(retriesOf));
  const warnings = [
    ...run.cases.flatMap(({ name, warnings }) =>
      warnings.map((text) => `- ${code(name)}: ${code(text)}\n`)
    ),
    ...run.warnings.map((text) => `- ${code(text)}\n`),
  ];
  section(page, "Warnings", warnings);
  return page.text();
}

/** Text that is added up to a limit. */
class Page {
  #parts: string[] = [];
  #room: number;
  #encoder = new TextEncoder();

  constructor(bytes: number) {
    this.#room = bytes;
  }

  /** Adds a part, or says that there is no room for it. */
  add(part: string): boolean {
    const size = this.#encoder.encode(part).length;
    if (size > this.#room) return false;
    this.#room -= size;
    this.#parts.push(part);
    return true;
  }

  /** Adds a line that says what was left out; there is always room for it. */
  note(text: string): void {
    this.#parts.push(`\n_${text}_\n`);
  }

  text(): string {
    return this.#parts.join("");
  }
}

function table(page: Page, cases: readonly CaseSummary[]): void {
  if (cases.length === 0) return;
  const rows = cases.length <= MOST_ROWS
    ? cases
    : cases.filter(({ status, flaky }) => status !== "passed" || flaky).slice(0, MOST_ROWS);
  page.add("| Result | Case | File | Time |\n| --- | --- | --- | ---: |\n");
  let written = 0;
  for (const one of rows) {
    if (!page.add(rowOf(one))) break;
    written++;
  }
  if (written < cases.length) {
    page.note(`${cases.length - written} of ${cases.length} cases are not in this table.`);
  }
}

const RESULTS: Readonly<Record<CaseSummary["status"], string>> = {
  passed: "passed",
  failed: "**failed**",
  errored: "**could not be run**",
  unchecked: "**checked nothing**",
  interrupted: "**interrupted**",
  skipped: "not begun",
};

function rowOf({ status, flaky, name, file, duration_ms }: CaseSummary): string {
  const result = `${RESULTS[status]}${flaky ? ", flaky" : ""}`;
  const time = status === "skipped" ? "" : formatDuration(duration_ms);
  return `| ${result} | ${codeInCell(name)} | ${codeInCell(file)} | ${time} |\n`;
}

function failureOf(one: CaseSummary): string {
  const { name, failure, steps, logs } = one;
  const lines = failure ? failureLines(failure) : [verdict(one)];
  for (const step of steps) {
    // The first failure of a case is told already.
    if (!step.failure || step.step === failure?.step && !step.soft) continue;
    lines.push("", stepLine(step), ...failureLines(step.failure).map((line) => `  ${line}`));
  }
  if (steps.length > 0) lines.push("", "steps:", ...steps.map((step) => `  ${stepLine(step)}`));
  if (logs.length > 0) {
    lines.push("", "printed:", ...logs.map(({ step, text }) => `  ${step}: ${text}`));
  }
  return `#### ${RESULTS[one.status].replaceAll("*", "")}: ${code(name)}\n\n${codeBlock(lines)}\n`;
}

function retriesOf({ name, steps }: CaseSummary): string {
  const retries = steps.flatMap(({ label, retries }) =>
    retries.map(({ attempt, failure }) =>
      `  - attempt ${attempt} of ${code(label)}: ${code(failure.message)}\n`
    )
  );
  return `- ${code(name)}\n${retries.join("")}`;
}

function section(page: Page, title: string, parts: readonly string[]): void {
  if (parts.length === 0) return;
  let written = 0;
  if (page.add(`\n### ${title}\n\n`)) {
    for (const part of parts) {
      if (!page.add(part)) break;
      written++;
    }
  }
  const left = parts.length - written;
  if (left > 0) page.note(`${title}: ${left} more are left out, there is no room for them here.`);
}
