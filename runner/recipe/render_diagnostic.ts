import type { Diagnostic } from "./diagnostic.ts";

/** How the parts of a diagnostic are coloured; each takes text and gives text. */
export interface DiagnosticStyle {
  /** The word `error`, and the mark under an error. */
  error(text: string): string;
  /** The word `warning`, and its mark. */
  warning(text: string): string;
  /** The message. */
  strong(text: string): string;
  /** Line numbers, the arrow and the gutter. */
  dim(text: string): string;
}

/** A style that colours nothing. */
export const plainStyle: DiagnosticStyle = {
  error: (text) => text,
  warning: (text) => text,
  strong: (text) => text,
  dim: (text) => text,
};

/** Beyond this a source line is shown in part. */
const WIDTH = 100;

/**
 * A diagnostic as text: the message, its place, the source line and a mark under it.
 *
 * @example The look
 * ```text
 * error: unknown key `untill` in a wait step
 *   --> recipes/order.yaml:14:5
 *    |
 * 14 |     untill: completed
 *    |     ^^^^^^ did you mean `until`?
 * ```
 */
export function renderDiagnostic(diagnostic: Diagnostic, style = plainStyle): string {
  const { source, span, severity } = diagnostic;
  const { line, column } = source.position(span.start);
  if (source.text === "") return paint(diagnostic, style);
  const number = String(line);
  const gutter = " ".repeat(number.length);
  const colour = severity === "error" ? style.error : style.warning;
  const lines = [
    paint(diagnostic, style),
    `${gutter}${style.dim("-->")} ${printable(source.name)}:${line}:${column}`,
  ];
  const text = source.line(line);
  const lineStart = span.start - charOffset(text, column);
  const from = span.start - lineStart;
  const to = Math.max(from + 1, Math.min(span.end - lineStart, text.length));
  const shown = excerpt(text, from, to);
  const label = diagnostic.label === undefined ? "" : ` ${printable(diagnostic.label)}`;
  lines.push(
    `${gutter} ${style.dim("|")}`,
    `${style.dim(number)} ${style.dim("|")} ${shown.text}`.trimEnd(),
    `${gutter} ${style.dim("|")} ${shown.pad}${colour(shown.mark + label)}`,
  );
  for (const note of diagnostic.notes ?? []) {
    lines.push(`${gutter} ${style.dim("=")} ${printable(note)}`);
  }
  return lines.join("\n");
}

function paint({ severity, message }: Diagnostic, style: DiagnosticStyle): string {
  const colour = severity === "error" ? style.error : style.warning;
  return `${colour(severity)}${style.strong(`: ${printable(message)}`)}`;
}

/** How many UTF-16 units stand before a column. */
function charOffset(text: string, column: number): number {
  return [...text].slice(0, column - 1).join("").length;
}

function excerpt(text: string, from: number, to: number) {
  let before = "";
  let start = 0;
  if (from > WIDTH - 20) {
    start = Math.max(0, from - 40);
    before = "…";
  }
  let end = text.length;
  let after = "";
  if (end - start > WIDTH) {
    end = start + WIDTH;
    after = "…";
  }
  const marked = text.slice(from, Math.max(from + 1, Math.min(to, end)));
  return {
    text: before + printable(text.slice(start, end), true) + after,
    pad: " ".repeat(before.length) + blank(text.slice(start, from)),
    mark: "^".repeat(Math.max(1, width(marked))),
  };
}

/** White space as wide as the text. A tab stays one, so that the mark is under what it marks. */
function blank(text: string): string {
  let out = "";
  for (const char of text) out += char === "\t" ? "\t" : " ".repeat(width(char));
  return out;
}

/** How many columns a terminal gives a text: two for East Asian and emoji, none for marks. */
export function width(text: string): number {
  let columns = 0;
  for (const char of text) {
    if (/\p{Mark}|\p{Cf}/u.test(char)) continue;
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u
          .test(char)
        ? 2
        : 1;
  }
  return columns;
}

/** Text without the control characters that would steer a terminal. */
export function printable(text: string, keepTabs = false): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    if (keepTabs && char === "\t") return char;
    return char === "\n" ? "⏎" : "�";
  });
}
