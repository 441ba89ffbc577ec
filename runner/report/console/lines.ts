import type {
  CaseFinished,
  CaseSkipped,
  EventFailure,
  EventQuarantine,
  RecipeRunFinished,
  StepFinished,
  Usual,
} from "../../events/event.ts";
import { formatDuration, formatRunTime } from "../../language/duration.ts";
import { gutterOf, renderPlace, width } from "../../language/render_diagnostic.ts";
import { type Style, terminalText } from "../terminal.ts";

/** The columns of a time, with the space before it. */
export const TIME_COLUMNS = 9;

/** The columns reserved for the label of a step, so that the times are aligned. */
export function labelColumns(columns: number): number {
  return Math.max(6, Math.min(44, Math.max(columns - 48, Math.min(20, columns - 14))));
}

/** Puts one text at the left and one at the right of a row, with at least one space between. */
export function spread(left: string, right: string, columns: number): string {
  return left + " ".repeat(Math.max(1, columns - width(left) - width(right))) + right;
}

/** The spaces before a step that is inside others, as its number `2.1` shows. */
function indentOf(number: string): string {
  return "  ".repeat(number.split(".").length);
}

/** The line of a step that has not ended, above the steps inside it. */
export function openedLine(label: string, number: string, style: Style): string {
  return `${indentOf(number)}${style.dim(`▸ ${terminalText(label)}`)}`;
}

/** The lines of a step that has ended: its result, its failure in short, and a slower time. */
export function stepLines(event: StepFinished, style: Style, columns: number): string[] {
  const { status, failure, usual } = event;
  const indent = indentOf(event.step);
  const soft = event.soft && status !== "passed" && status !== "skipped" ? " (soft)" : "";
  const label = terminalText(`${event.phase === "always" ? "always: " : ""}${event.label}${soft}`);
  const time = formatDuration(event.duration_ms);
  const detail = status === "interrupted" ? failure?.message : event.detail;
  // The detail of a sleep is its duration, which the row shows already.
  const note = detail === undefined || detail === time ? "" : `  ${terminalText(detail)}`;
  if (status === "skipped") return [`${indent}${style.dim(`- ${label}${note}`)}`];
  const mark = {
    passed: style.good("✓"),
    failed: event.soft ? style.warning("✗") : style.error("✗"),
    errored: style.error("✗"),
    interrupted: style.warning("■"),
  }[status];
  const flaky = status === "passed" && event.attempts > 1
    ? style.warning(`  flaky, attempt ${event.attempts}`)
    : "";
  // The times of all steps are aligned.
  const room = labelColumns(columns) + TIME_COLUMNS - (indent.length - 2);
  const row = spread(label, time, room);
  return [
    `${indent}${mark} ${row}${flaky}${style.dim(note)}`,
    ...(failure && status !== "interrupted"
      ? [
        `${indent}    ${
          (event.soft ? style.warning : style.error)(
            shortMessage(failure, columns - 4 - indent.length),
          )
        }`,
      ]
      : []),
    ...slowerLines(event.duration_ms, usual).map((line) => `${indent}    ${style.warning(line)}`),
  ];
}

/** The message of a failure, cut to one line; the end of the report has it in full. */
export function shortMessage({ message }: EventFailure, columns: number): string {
  const characters = [...terminalText(message)];
  const room = Math.max(20, columns - 1);
  return characters.length <= room ? characters.join("") : `${characters.slice(0, room).join("")}…`;
}

/** The line of a case that has ended. */
export function caseLine(event: CaseFinished, style: Style, columns: number): string {
  const { status } = event;
  const bad = event.quarantine ? style.warning : style.error;
  const mark = {
    passed: style.good("✓"),
    failed: bad("✗"),
    errored: bad("✗"),
    unchecked: style.warning("?"),
    interrupted: style.warning("■"),
  }[status];
  const attempts = event.attempts ?? 1;
  const after = attempts > 1 ? style.dim(`  after ${attempts} attempts`) : "";
  const last = attempts > 1 ? `, attempt ${attempts}` : "";
  const word = {
    passed: event.flaky ? style.warning(`  flaky${last}`) : "",
    failed: after,
    errored: `${bad("  could not run")}${after}`,
    unchecked: "",
    interrupted: style.warning("  interrupted"),
  }[status];
  const quarantined = event.quarantine
    ? style.warning(`  ${quarantineNote(event.quarantine)}`)
    : "";
  const time = formatDuration(event.duration_ms);
  const row = spread(terminalText(event.name), time, labelColumns(columns) + 2 + TIME_COLUMNS);
  return `${mark} ${row}  ${style.dim(terminalText(event.file))}${word}${quarantined}`;
}

/** Why a case may fail: `in quarantine until 2026-12-01: DISP-7`. */
export function quarantineNote({ until, reason }: EventQuarantine): string {
  return `in quarantine until ${terminalText(until)}: ${terminalText(reason)}`;
}

/** Why an unchecked case is not a pass. */
export const UNCHECKED = "nothing was asserted or waited for";

/** The line of a case that did not start. */
export function skippedLine(event: CaseSkipped, style: Style, columns: number): string {
  const name = spread(terminalText(event.name), "", labelColumns(columns) + 2 + TIME_COLUMNS);
  return style.dim(`- ${name}  ${skipReason(event)}  ${terminalText(event.file)}`);
}

/** Why a case did not start. */
export function skipReason({ reason }: CaseSkipped): string {
  return `not started (${reason === "bail" ? "--bail" : "interrupted"})`;
}

/** The lines that compare a case with its history; none if nothing is remarkable. */
export function usualLines(event: CaseFinished): string[] {
  const { duration_ms, usual } = event;
  if (!usual) return [];
  const { flaky, failed, runs } = usual;
  const problems = [
    ...(flaky > 0 ? [`needed a retry to pass in ${flaky} of ${runs} runs`] : []),
    ...(failed > 0 ? [`failed in ${failed} of ${runs} runs`] : []),
  ];
  const lines = problems.length === 0 ? [] : [problems.join(", ")];
  return [...slowerLines(duration_ms, usual), ...lines];
}

function slowerLines(ms: number, usual: Usual | undefined): string[] {
  if (!usual?.slower || usual.median_ms === undefined) return [];
  // The median is that of the runs that passed.
  const median = `median of ${usual.runs - usual.failed} runs ${formatRoughly(usual.median_ms)}`;
  return [`slower than usual: ${formatRoughly(ms)}, ${median}`];
}

/** A duration with as many digits as a comparison needs: `40 ms`, `0.9 s`, `4.1 s`, `1 m 5 s`. */
function formatRoughly(ms: number): string {
  return ms < 100 || ms >= 60_000 ? formatDuration(ms) : `${(ms / 1000).toFixed(1)} s`;
}

/** A failure in full: the message, its place in the recipe, and the values or states. */
export function failureLines(failure: EventFailure, style: Style, soft = false): string[] {
  const { place, lines } = failure;
  const color = soft ? style.warning : style.error;
  const code = failure.code === undefined
    ? ""
    : style.dim(` [${terminalText(String(failure.code))}]`);
  const gutter = place ? gutterOf(place.line) : "";
  const message = style.strong(`: ${terminalText(failure.message)}`);
  return [
    `${color(soft ? "soft failure" : "error")}${message}${code}`,
    ...(place ? renderPlace(place, color, style) : []),
    ...lines.map((line) => `${gutter} ${style.dim("=")} ${colorDiff(terminalText(line), style)}`),
  ];
}

/** Colours the lines of a difference: `-` before the expected value, `+` before the actual one. */
function colorDiff(line: string, style: Style): string {
  const sign = /^\s*([-+]) /.exec(line)?.[1];
  return sign === "-" ? style.error(line) : sign === "+" ? style.good(line) : line;
}

/** The last line of a run, with its counts. */
export function summaryLine(event: RecipeRunFinished, style: Style): string {
  const { counts, interrupted } = event;
  const fails = event.failed_by === "flaky" ? ", which fails the run" : "";
  const flaky = counts.flaky > 0 ? ` ${style.warning(`(${counts.flaky} flaky${fails})`)}` : "";
  const parts = [
    counts.passed > 0 && `${style.good(`${counts.passed} passed`)}${flaky}`,
    counts.failed > 0 && style.error(`${counts.failed} failed`),
    counts.errored > 0 && style.error(`${counts.errored} could not run`),
    counts.quarantined && style.warning(`${counts.quarantined} failed in quarantine`),
    counts.unchecked > 0 && style.warning(`${counts.unchecked} checked nothing`),
    counts.skipped > 0 && style.dim(`${counts.skipped} skipped`),
    counts.interrupted > 0 && style.warning(`${counts.interrupted} interrupted`),
    counts.warnings > 0 &&
    style.warning(`${counts.warnings} ${counts.warnings === 1 ? "warning" : "warnings"}`),
  ].filter((part) => typeof part === "string");
  const words = parts.length === 0 ? "nothing ran" : parts.join(", ");
  const prefix = interrupted ? style.warning("Interrupted: ") : "";
  return `${prefix}${words} in ${formatRunTime(event.duration_ms, event.real_ms)}`;
}
