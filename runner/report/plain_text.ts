import type { EventFailure, EventQuarantine } from "../events/event.ts";
import { formatDuration, formatRunTime } from "../language/duration.ts";
import type { CaseAttempt, CaseSummary, RunSummary, StepSummary } from "./run_summary.ts";
import { escapeInvisible, MAX_TEXT, truncate } from "./safe_text.ts";

/** How many lines of one failure are shown. */
const MAX_LINES = 500;

/** Cuts a text to a length, and replaces invisible characters. */
export function safeText(text: string, limit: number = MAX_TEXT): string {
  return escapeInvisible(truncate(text, limit));
}

/** Like {@linkcode safeText}, as one line. */
export function safeLine(text: string, limit: number = 500): string {
  return safeText(text, limit).replace(/\s*\n\s*/g, " ⏎ ");
}

/** A failure in full: the message, its details, its place and the text there. */
export function failureLines(failure: EventFailure): string[] {
  const { message, code, lines, place } = failure;
  const out = [`${safeText(message)}${code === undefined ? "" : ` [${safeLine(String(code))}]`}`];
  for (const line of lines.slice(0, MAX_LINES)) out.push(`  ${safeText(line)}`);
  if (lines.length > MAX_LINES) out.push(`  … ${lines.length - MAX_LINES} more lines`);
  if (place) {
    out.push(`at ${safeLine(place.file)}:${place.line}:${place.column}`);
    if (place.text.trim() !== "") out.push(`  ${safeLine(place.text)}`);
  }
  return out;
}

const MARKS = { passed: "✓", failed: "✗", errored: "✗", skipped: "-", interrupted: "■" };

/** The result of a step in one line. */
export function stepLine(step: StepSummary): string {
  const { status, label, phase, soft, detail, attempts, duration_ms } = step;
  const failed = status !== "passed" && status !== "skipped";
  const notes = [
    status === "skipped" ? "" : formatDuration(duration_ms),
    status === "passed" && attempts > 1 ? `flaky, attempt ${attempts}` : "",
    soft && failed ? "soft" : "",
    detail === undefined ? "" : safeLine(detail),
  ].filter((note) => note !== "");
  const always = phase === "always" ? "always: " : "";
  const end = notes.length === 0 ? "" : ` (${notes.join("; ")})`;
  return `${MARKS[status]} ${step.step} ${always}${safeLine(label)}${end}`;
}

/** An attempt of a case that another one followed, in one line. */
export function attemptLine({ attempt, status, failure, duration_ms }: CaseAttempt): string {
  const what = status === "errored" ? "could not run" : status;
  const why = failure === undefined ? "" : `: ${safeLine(failure.message)}`;
  return `↻ attempt ${attempt} ${what} (${formatDuration(duration_ms)})${why}`;
}

/** A case in full: its attempts, its steps with their failures, and the lines it logged. */
export function caseLines({ steps, logs, retries = [], quarantine }: CaseSummary): string[] {
  const earlier = retries.flatMap((attempt) => [
    attemptLine(attempt),
    ...linesOf(attempt).map((line) => `  ${line}`),
    ...attempt.warnings.map((text) => `  warning: ${safeText(text)}`),
  ]);
  const last = retries.length === 0 ? [] : [`attempt ${retries.length + 1}:`];
  const why = quarantine === undefined ? [] : [quarantineText(quarantine)];
  return [...why, ...earlier, ...last, ...linesOf({ steps, logs })];
}

function linesOf({ steps, logs }: Pick<CaseSummary, "steps" | "logs">): string[] {
  const out: string[] = [];
  for (const step of steps) {
    out.push(stepLine(step));
    for (const { attempt, failure } of step.retries) {
      out.push(`  attempt ${attempt} failed: ${safeLine(failure.message)}`);
    }
    if (step.failure) out.push(...failureLines(step.failure).map((line) => `  ${line}`));
  }
  if (logs.length > 0) out.push("log:");
  for (const { step, text } of logs) out.push(`  ${step}: ${safeText(text)}`);
  return out;
}

/** Why a case may fail: `in quarantine until 2026-12-01: DISP-7`. */
export function quarantineText({ until, reason }: EventQuarantine): string {
  return `in quarantine until ${safeLine(until)}: ${safeLine(reason)}`;
}

/** Why a case did not pass, in one line. */
export function caseVerdict({ status, reason, failure }: CaseSummary): string {
  if (status === "unchecked") return "nothing was asserted or waited for";
  if (status === "skipped") {
    return reason === "bail"
      ? "not started: another case did not pass"
      : "not started: the run was interrupted";
  }
  return failure === undefined ? status : safeLine(failure.message);
}

/** The result of a run in one line, with its counts. */
export function runVerdict(run: RunSummary): string {
  const { counts, duration_ms, real_ms, interrupted } = run;
  const fails = run.failed_by === "flaky" ? ", which fails the run" : "";
  const parts = [
    // The count of passed cases includes the flaky ones.
    [counts.passed, counts.flaky > 0 ? `passed (${counts.flaky} flaky${fails})` : "passed"],
    [counts.failed, "failed"],
    [counts.errored, "could not run"],
    [counts.quarantined ?? 0, "failed in quarantine"],
    [counts.unchecked, "checked nothing"],
    [counts.skipped, "skipped"],
    [counts.interrupted, "interrupted"],
    [counts.warnings, counts.warnings === 1 ? "warning" : "warnings"],
  ] as const;
  const words = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const text = words.length === 0 ? "nothing ran" : words.join(", ");
  return `${interrupted ? "Interrupted: " : ""}${text} in ${formatRunTime(duration_ms, real_ms)}`;
}

/**
 * Makes names unique after a format has cut or escaped them. Readers of reports merge test cases with
 * the same name.
 */
export class UniqueNames {
  #taken = new Map<string, Set<string>>();

  /**
   * Returns the name, with an addition if it was returned before.
   *
   * @param group The group in which the name must be unique, such as a class.
   * @param addition Tried before a number.
   */
  next(name: string, group = "", addition?: string): string {
    const taken = this.#taken.get(group) ?? new Set();
    this.#taken.set(group, taken);
    const candidates = addition === undefined ? [name] : [name, `${name} (${addition})`];
    for (let number = 2;; number++) {
      const candidate = candidates.shift() ?? `${name} (${number})`;
      if (taken.has(candidate)) continue;
      taken.add(candidate);
      return candidate;
    }
  }
}
