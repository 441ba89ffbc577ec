import type { EventFailure } from "../events/event.ts";
import { formatDuration } from "../language/duration.ts";
import { cutText, LONGEST_TEXT } from "./cut_text.ts";
import { visible } from "./visible.ts";
import type { CaseSummary, RunSummary, StepSummary } from "./run_summary.ts";

/** How many lines of one failure are shown. */
const MOST_LINES = 500;

/** Text that can be seen and that no reader stumbles over, cut where it is very long. */
export function shown(text: string, limit: number = LONGEST_TEXT): string {
  return visible(cutText(text, limit));
}

/** The same in one line. */
export function shownInLine(text: string, limit: number = 500): string {
  return shown(text, limit).replace(/\s*\n\s*/g, " ⏎ ");
}

/** A failure in full: the message, its lines, its place and the text there. */
export function failureLines(failure: EventFailure): string[] {
  const { message, code, lines, place } = failure;
  const out = [`${shown(message)}${code === undefined ? "" : ` [${shownInLine(String(code))}]`}`];
  for (const line of lines.slice(0, MOST_LINES)) out.push(`  ${shown(line)}`);
  if (lines.length > MOST_LINES) out.push(`  … ${lines.length - MOST_LINES} more lines were cut`);
  if (place) {
    out.push(`at ${shownInLine(place.file)}:${place.line}:${place.column}`);
    if (place.text.trim() !== "") out.push(`  ${shownInLine(place.text)}`);
  }
  return out;
}

const MARKS = { passed: "✓", failed: "✗", errored: "✗", skipped: "-", interrupted: "■" };

/** What became of a step, in one line. */
export function stepLine(step: StepSummary): string {
  const { status, label, phase, soft, detail, attempts, duration_ms } = step;
  const failed = status !== "passed" && status !== "skipped";
  const words = [
    status === "skipped" ? "" : formatDuration(duration_ms),
    status === "passed" && attempts > 1 ? `flaky, attempt ${attempts}` : "",
    soft && failed ? "soft" : "",
    detail === undefined ? "" : shownInLine(detail),
  ].filter((word) => word !== "");
  const always = phase === "always" ? "always: " : "";
  const more = words.length === 0 ? "" : ` (${words.join("; ")})`;
  return `${MARKS[status]} ${step.step} ${always}${shownInLine(label)}${more}`;
}

/** All that is known of a case: its steps, what it printed, and what failed. */
export function caseLines({ steps, logs }: CaseSummary): string[] {
  const out: string[] = [];
  for (const step of steps) {
    out.push(stepLine(step));
    for (const { attempt, failure } of step.retries) {
      out.push(`  attempt ${attempt} failed: ${shownInLine(failure.message)}`);
    }
    if (step.failure) out.push(...failureLines(step.failure).map((line) => `  ${line}`));
  }
  if (logs.length > 0) out.push("printed:");
  for (const { step, text } of logs) out.push(`  ${step}: ${shown(text)}`);
  return out;
}

/** Why a case did not pass, in one line. */
export function verdict({ status, reason, failure }: CaseSummary): string {
  if (status === "unchecked") return "nothing was asserted or waited for";
  if (status === "skipped") {
    return reason === "bail"
      ? "not begun: another case did not pass"
      : "not begun: the run was interrupted";
  }
  return failure === undefined ? status : shownInLine(failure.message);
}

/** What became of a run, in one line. */
export function runLine({ counts, duration_ms, interrupted }: RunSummary): string {
  const parts = [
    // Flaky ones are among them, and must not look like others.
    [counts.passed, counts.flaky > 0 ? `passed (${counts.flaky} flaky)` : "passed"],
    [counts.failed, "failed"],
    [counts.errored, "could not be run"],
    [counts.unchecked, "checked nothing"],
    [counts.skipped, "skipped"],
    [counts.interrupted, "interrupted"],
    [counts.warnings, counts.warnings === 1 ? "warning" : "warnings"],
  ] as const;
  const what = parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const words = what.length === 0 ? "nothing ran" : what.join(", ");
  return `${interrupted ? "Interrupted: " : ""}${words} in ${formatDuration(duration_ms)}`;
}
