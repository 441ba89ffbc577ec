import type { ScreenSpan } from "../_screen.ts";

const COLUMN = 8.4;
const ROW = 20;
const MARGIN = 20;
const COLUMNS = 80;

/** The class of each colour that the console uses. */
const CLASSES: Readonly<Record<number, string>> = { 1: "r", 2: "g", 3: "y", 6: "c" };

const STYLE = `
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #cdd6f4; white-space: pre }
.b { font-weight: 700 } .d { opacity: .55 }
.r { fill: #f38ba8 } .g { fill: #a6e3a1 } .y { fill: #f9e2af } .c { fill: #89dceb }
`;

/** Draws the lines of a screen as an SVG image. */
export function screenSvg(lines: readonly ScreenSpan[][]): string {
  const width = COLUMNS * COLUMN + 2 * MARGIN;
  const height = lines.length * ROW + 2 * MARGIN - 4;
  const texts = lines.map((spans, i) =>
    `<text y="${32 + i * ROW}">${spans.map(tspan).join("")}</text>\n`
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}">\n<style>${STYLE}</style>\n` +
    `<rect width="100%" height="100%" rx="10" fill="#1e1e2e"/>\n${texts.join("")}</svg>\n`;
}

/** Draws a span. Its length is fixed, so that columns are aligned in any font. */
function tspan({ text, column, columns, color, bold, dim }: ScreenSpan): string {
  const classes = [CLASSES[color ?? -1], bold && "b", dim && "d"].filter(Boolean).join(" ");
  const x = (MARGIN + column * COLUMN).toFixed(1);
  const length = (columns * COLUMN).toFixed(1);
  const escaped = text.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  const attribute = classes === "" ? "" : ` class="${classes}"`;
  return `<tspan x="${x}" textLength="${length}"${attribute}>${escaped}</tspan>`;
}
