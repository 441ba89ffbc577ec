import type { Diagnostic } from "./diagnostic.ts";

/** Functions that colour the parts of a diagnostic. */
export interface DiagnosticStyle {
  /** Colours the word `error` and the mark of an error. */
  error(text: string): string;
  /** Colours the word `warning` and the mark of a warning. */
  warning(text: string): string;
  /** Emphasises the message. */
  strong(text: string): string;
  /** Dims line numbers, the arrow and the gutter. */
  dim(text: string): string;
}

/** A style without colours. */
export const plainStyle: DiagnosticStyle = {
  error: (text) => text,
  warning: (text) => text,
  strong: (text) => text,
  dim: (text) => text,
};

/** How many characters of a source line are shown. */
const WIDTH = 100;

/**
 * Renders a diagnostic as text: the message, its place, the source line and a mark under it.
 *
 * @example
 * ```text
 * error: unknown key `untill` in a wait step
 *   --> recipes/order.yaml:14:5
 *    |
 * 14 |     untill: completed
 *    |     ^^^^^^ did you mean `until`?
 * ```
 */
export function renderDiagnostic(diagnostic: Diagnostic, style = plainStyle): string {
  const { source, span, severity, notes = [] } = diagnostic;
  const { line, column } = source.position(span.start);
  if (source.text === "") {
    // A file that cannot be read is named in the message.
    const isNamed = diagnostic.message.includes(source.name);
    const place = isNamed ? "" : `\n ${style.dim("-->")} ${printable(source.name)}`;
    return paint(diagnostic, style) + place;
  }
  const text = source.line(line);
  const lineStart = span.start - charOffset(text, column);
  return [
    paint(diagnostic, style),
    ...renderPlace(
      {
        file: source.name,
        line,
        column,
        text,
        length: Math.min(span.end - lineStart, text.length) - (span.start - lineStart),
        ...(diagnostic.label === undefined ? {} : { label: diagnostic.label }),
      },
      severity === "error" ? style.error : style.warning,
      style,
    ),
    ...notes.map((note) => `${gutterOf(line)} ${style.dim("=")} ${printable(note)}`),
  ].join("\n");
}

/** A place in a file to render. */
export interface ShownPlace {
  /** The file's name. */
  file: string;
  /** The line number, counted from 1. */
  line: number;
  /** The column, counted from 1. */
  column: number;
  /** The text of that line. */
  text: string;
  /** How many UTF-16 code units to mark, at least 1. */
  length: number;
  /** The hint beside the mark. */
  label?: string;
}

/** Renders a place: an arrow with the file, the source line, and a mark under part of it. */
export function renderPlace(
  { file, line, column, text, length, label }: ShownPlace,
  colour: (text: string) => string,
  style: DiagnosticStyle,
): string[] {
  const gutter = gutterOf(line);
  const from = charOffset(text, column);
  const shown = excerpt(text, from, from + Math.max(1, length));
  const mark = label === undefined ? shown.mark : `${shown.mark} ${printable(label)}`;
  return [
    `${gutter}${style.dim("-->")} ${printable(file)}:${line}:${column}`,
    `${gutter} ${style.dim("|")}`,
    `${style.dim(String(line))} ${style.dim("|")} ${shown.text}`.trimEnd(),
    `${gutter} ${style.dim("|")} ${shown.pad}${colour(mark)}`,
  ];
}

/** White space as wide as a line number. */
export function gutterOf(line: number): string {
  return " ".repeat(String(line).length);
}

function paint({ severity, message }: Diagnostic, style: DiagnosticStyle): string {
  const colour = severity === "error" ? style.error : style.warning;
  return `${colour(severity)}${style.strong(`: ${printable(message)}`)}`;
}

/** The offset of a column in UTF-16 code units. */
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
    pad: " ".repeat(before.length) + blank(printable(text.slice(start, from), true)),
    mark: "^".repeat(Math.max(1, width(printable(marked)))),
  };
}

/** White space as wide as a text. Tabs stay tabs, so that the mark lines up. */
function blank(text: string): string {
  return text.split("\t").map((piece) => " ".repeat(width(piece))).join("\t");
}

/**
 * The width of a text in terminal columns: two for East Asian characters and emoji, none for
 * combining marks. A joined emoji is as wide as in terminals that support it.
 */
export function width(text: string): number {
  if (!/[^ -~]/.test(text)) return text.length;
  let columns = 0;
  // A decomposed syllable is as wide as the composed one.
  const composed = text.normalize();
  if (!/[\u200D\uFE0E\uFE0F\u{1F000}-\u{1FAFF}]/u.test(composed)) {
    return widthOfCharacters(composed);
  }
  for (const { segment } of graphemes(composed)) {
    columns += emoji().test(segment) ? 2 : widthOfCharacters(segment);
  }
  return columns;
}

/** The sum of the widths of single characters. */
function widthOfCharacters(text: string): number {
  let columns = 0;
  for (const char of text) columns += invisible().test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return columns;
}

let invisiblePattern: RegExp | undefined;

/** Matches a character without a width. It is compiled on first use, as most texts are ASCII. */
function invisible(): RegExp {
  return invisiblePattern ??= new RegExp(
    String.raw`[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Mn}\p{Me}]`,
    "u",
  );
}

const WIDE =
  /[\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\u3247\u3250-\uA4CF\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6B\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{1B2FB}\u{1D300}-\u{1D376}\u{1F1AE}-\u{1F265}\u{20000}-\u{3FFFD}]|\p{Emoji_Presentation}/u;

let emojiPattern: RegExp | undefined;

/** Matches an emoji of one or more characters. It is compiled on first use, which takes 20 ms. */
function emoji(): RegExp {
  return emojiPattern ??= new RegExp(
    String.raw`^(?:\p{RGI_Emoji}|\p{Regional_Indicator}|[\d#*]\uFE0F)|` +
      String.raw`\p{Extended_Pictographic}.*\u200D\p{Extended_Pictographic}`,
    "v",
  );
}

let segmenter: Intl.Segmenter | undefined;

/** Splits a text into graphemes. */
export function graphemes(text: string): Intl.Segments {
  return (segmenter ??= new Intl.Segmenter("en")).segment(text);
}

/**
 * Matches characters that a terminal interprets, that cannot be seen, or that change the direction
 * of the text. Line feeds and tabs are not among them.
 */
export const UNSAFE_CHARACTERS: RegExp =
  // deno-lint-ignore no-control-regex -- The pattern is about control characters.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffc\ufffe\uffff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e00ff}\u{e01f0}-\u{e0fff}\ud800-\udfff]/gu;

/** A text in one line, without characters that a terminal would interpret or that are invisible. */
export function printable(text: string, keepTabs = false): string {
  // Most texts are printable ASCII.
  if (!/[^ -~]/.test(text)) return text;
  return text.replace(/[\n\u2028\u2029]/g, "⏎")
    .replace(UNSAFE_CHARACTERS, "�")
    .replace(/\t/g, keepTabs ? "\t" : "�");
}
