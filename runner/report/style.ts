import type { DiagnosticStyle } from "../language/render_diagnostic.ts";

/** The colours of the console. What they say is always said by a word or a sign too. */
export interface Style extends DiagnosticStyle {
  /** What passed, and what is there in a difference. */
  good(text: string): string;
  /** What goes on. */
  busy(text: string): string;
}

/** A style with colours, or one without. */
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
