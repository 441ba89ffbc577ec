import { escapeHtml } from "../report/html/static_page.ts";
import type { CheckState } from "./status_source.ts";

const COLORS: Readonly<Record<CheckState, string>> = {
  alerting: "#b92520",
  failing: "#b92520",
  broken: "#865700",
  maintenance: "#62656e",
  passing: "#17713f",
  pending: "#62656e",
};

/** The width of a character and the space around a text, in pixels. */
const [CHARACTER, PADDING] = [6.6, 12];

/** The most characters of a text. */
const MOST = 40;

/** Draws a badge: a label and what is so. */
export function badge(label: string, text: string, state: CheckState): string {
  const [left, right] = [label, text].map((one) => [...one].slice(0, MOST).join("")) as [
    string,
    string,
  ];
  const [a, b] = [left, right].map((one) => Math.round([...one].length * CHARACTER + PADDING)) as [
    number,
    number,
  ];
  const words = [[left, a / 2], [right, a + b / 2]] as const;
  const shown = words.map(([one, x]) => `<text x="${x}" y="14">${escapeHtml(one)}</text>`).join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${a + b}" height="20" role="img"` +
    ` aria-label="${escapeHtml(`${left}: ${right}`)}">` +
    `<rect width="${a}" height="20" fill="#44474f"/>` +
    `<rect x="${a}" width="${b}" height="20" fill="${COLORS[state]}"/>` +
    `<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">` +
    `${shown}</g></svg>`;
}
