import type {
  CaseFinished,
  CaseSkipped,
  EventFailure,
  RunFinished,
  StepFinished,
  Usual,
} from "../../events/event.ts";
import { formatDuration } from "../../language/duration.ts";
import { gutterOf, printable, renderPlace, width } from "../../language/render_diagnostic.ts";
import { cutText, LONGEST_TEXT } from "../cut_text.ts";
import type { Style } from "../style.ts";

/** Text that cannot steer the terminal, cut where it is very long. */
export function printed(text: string): string {
  return printable(cutText(text, LONGEST_TEXT));
}

/** How many columns a time takes, with the space before it. */
export const TIME_COLUMNS = 9;

/** How many columns a step's label is given, so that the times stand under each other. */
export function labelColumns(columns: number): number {
  return Math.max(6, Math.min(44, Math.max(columns - 48, Math.min(20, columns - 14))));
}

/** Two texts with white space between them, as wide as is said or as they need. */
export function spread(left: string, right: string, columns: number): string {
  return left + " ".repeat(Math.max(1, columns - width(left) - width(right))) + right;
}

/** A step that has ended: its line, why it failed in short, and whether it was slow. */
export function stepLines(event: StepFinished, style: Style, columns: number): string[] {
  const { status, failure, usual } = event;
  const soft = event.soft && status !== "passed" && status !== "skipped" ? " (soft)" : "";
  const label = printed(`${event.phase === "always" ? "always: " : ""}${event.label}${soft}`);
  const time = formatDuration(event.duration_ms);
  const detail = status === "interrupted" ? failure?.message : event.detail;
  // A sleep tells how long it slept, which is there already.
  const told = detail === undefined || detail === time ? "" : `  ${printed(detail)}`;
  if (status === "skipped") return [`  ${style.dim(`- ${label}${told}`)}`];
  const mark = {
    passed: style.good("✓"),
    failed: event.soft ? style.warning("✗") : style.error("✗"),
    errored: style.error("✗"),
    interrupted: style.warning("■"),
  }[status];
  const flaky = status === "passed" && event.attempts > 1
    ? style.warning(`  flaky, attempt ${event.attempts}`)
    : "";
  const row = spread(label, time, labelColumns(columns) + TIME_COLUMNS);
  return [
    `  ${mark} ${row}${flaky}${style.dim(told)}`,
    ...(failure && status !== "interrupted"
      ? [`      ${(event.soft ? style.warning : style.error)(inShort(failure, columns - 6))}`]
      : []),
    ...slowerLines(event.duration_ms, usual).map((line) => `      ${style.warning(line)}`),
  ];
}

/** Why something failed, in a line that is cut where it is long: it is told in full later. */
export function inShort({ message }: EventFailure, columns: number): string {
  const characters = [...printed(message)];
  const room = Math.max(20, columns - 1);
  return characters.length <= room ? characters.join("") : `${characters.slice(0, room).join("")}…`;
}

/** A case that has ended, in a line. */
export function caseLine(event: CaseFinished, style: Style, columns: number): string {
  const { status } = event;
  const mark = {
    passed: style.good("✓"),
    failed: style.error("✗"),
    errored: style.error("✗"),
    unchecked: style.warning("?"),
    interrupted: style.warning("■"),
  }[status];
  const word = {
    passed: event.flaky ? style.warning("  flaky") : "",
    failed: "",
    errored: style.error("  could not be run"),
    unchecked: "",
    interrupted: style.warning("  interrupted"),
  }[status];
  const time = formatDuration(event.duration_ms);
  const row = spread(printed(event.name), time, labelColumns(columns) + 2 + TIME_COLUMNS);
  return `${mark} ${row}  ${style.dim(printed(event.file))}${word}`;
}

/** What is said of a case that checked nothing. */
export const UNCHECKED = "nothing was asserted or waited for";

/** A case that was not begun, in a line. */
export function skippedLine(event: CaseSkipped, style: Style, columns: number): string {
  const name = spread(printed(event.name), "", labelColumns(columns) + 2 + TIME_COLUMNS);
  return style.dim(`- ${name}  ${whySkipped(event)}  ${printed(event.file)}`);
}

/** Why a case was not begun. */
export function whySkipped({ reason }: CaseSkipped): string {
  return `not begun (${reason === "bail" ? "--bail" : "interrupted"})`;
}

/** What the history says of a case, where there is something to tell. */
export function usualLines(event: CaseFinished): string[] {
  const { duration_ms, usual } = event;
  if (!usual) return [];
  const { flaky, failed, runs } = usual;
  const often = [
    ...(flaky > 0 ? [`passed only on a later attempt in ${flaky} of ${runs} runs`] : []),
    ...(failed > 0 ? [`failed in ${failed} of ${runs} runs`] : []),
  ];
  return [...slowerLines(duration_ms, usual), ...(often.length === 0 ? [] : [often.join(", ")])];
}

function slowerLines(ms: number, usual: Usual | undefined): string[] {
  if (!usual?.slower || usual.median_ms === undefined) return [];
  // Only those that passed have a median.
  const median = `median of ${usual.runs - usual.failed} runs ${formatRoughly(usual.median_ms)}`;
  return [`slower than usual: ${formatRoughly(ms)}, ${median}`];
}

/** A duration with no more digits than one compares by: `40 ms`, `0.9 s`, `4.1 s`, `1 m 5 s`. */
function formatRoughly(ms: number): string {
  return ms < 100 || ms >= 60_000 ? formatDuration(ms) : `${(ms / 1000).toFixed(1)} s`;
}

/** A failure in full: the message, its place in the recipe, and the values or states. */
export function failureLines(failure: EventFailure, style: Style, soft = false): string[] {
  const { place, lines } = failure;
  const colour = soft ? style.warning : style.error;
  const code = failure.code === undefined ? "" : style.dim(` [${printed(String(failure.code))}]`);
  const gutter = place ? gutterOf(place.line) : "";
  return [
    `${colour(soft ? "soft failure" : "error")}${
      style.strong(`: ${printed(failure.message)}`)
    }${code}`,
    ...(place ? renderPlace(place, colour, style) : []),
    ...lines.map((line) => `${gutter} ${style.dim("=")} ${differs(printed(line), style)}`),
  ];
}

/** Colours what differs: `-` what was expected, `+` what is there. */
function differs(line: string, style: Style): string {
  const sign = /^\s*([-+]) /.exec(line)?.[1];
  return sign === "-" ? style.error(line) : sign === "+" ? style.good(line) : line;
}

/** How the run ended, in a line. */
export function summaryLine(event: RunFinished, style: Style): string {
  const { counts, interrupted } = event;
  const flaky = counts.flaky > 0 ? ` ${style.warning(`(${counts.flaky} flaky)`)}` : "";
  const parts = [
    counts.passed > 0 && `${style.good(`${counts.passed} passed`)}${flaky}`,
    counts.failed > 0 && style.error(`${counts.failed} failed`),
    counts.errored > 0 && style.error(`${counts.errored} could not be run`),
    counts.unchecked > 0 && style.warning(`${counts.unchecked} checked nothing`),
    counts.skipped > 0 && style.dim(`${counts.skipped} skipped`),
    counts.interrupted > 0 && style.warning(`${counts.interrupted} interrupted`),
    counts.warnings > 0 &&
    style.warning(`${counts.warnings} ${counts.warnings === 1 ? "warning" : "warnings"}`),
  ].filter((part) => part !== false);
  const what = parts.length === 0 ? "nothing ran" : parts.join(", ");
  const before = interrupted ? style.warning("Interrupted: ") : "";
  return `${before}${what} in ${formatDuration(event.duration_ms)}`;
}
