import { type DiagnosticStyle, printable } from "../language/render_diagnostic.ts";
import { MAX_TEXT, truncate } from "./safe_text.ts";

/** The colours of the console. A word or a sign always says the same, for output without colours. */
export interface Style extends DiagnosticStyle {
  /** Passed steps and cases, and the actual side of a difference. */
  good(text: string): string;
  /** Running steps and cases. */
  busy(text: string): string;
}

/** Makes a style with or without colours. */
export function makeStyle(color: boolean): Style {
  const paint = (code: string) => (text: string) =>
    color && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    error: paint("31"),
    warning: paint("33"),
    good: paint("32"),
    busy: paint("36"),
    strong: paint("1"),
    dim: paint("2"),
  };
}

/** Makes text of a recipe or a server safe for a terminal: no control codes, and not too long. */
export function terminalText(text: string): string {
  return printable(truncate(text, MAX_TEXT));
}
