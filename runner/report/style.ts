import type { DiagnosticStyle } from "../recipe/render_diagnostic.ts";

/** The colours of the console. */
export interface Style extends DiagnosticStyle {
  /** What passed. */
  good(text: string): string;
}

/** A style with colours, or one without. */
export function makeStyle(color: boolean): Style {
  const paint = (code: string) => (text: string) =>
    color && text !== "" ? `\x1b[${code}m${text}\x1b[0m` : text;
  return {
    error: paint("31"),
    warning: paint("33"),
    good: paint("32"),
    strong: paint("1"),
    dim: paint("2"),
  };
}
