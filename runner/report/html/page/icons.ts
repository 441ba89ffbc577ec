import { svg } from "./dom.ts";
import type { ReportStatus } from "../report_data.ts";

const CIRCLE = "M8 .75a7.25 7.25 0 1 0 0 14.5A7.25 7.25 0 0 0 8 .75Z";

/** Each status has its own shape, so that the icons differ even without colours. */
const SHAPES: Readonly<Record<ReportStatus, { fill: string; line: string }>> = {
  passed: { fill: CIRCLE, line: "m4.9 8.3 2.2 2.2 4.1-4.6" },
  failed: { fill: CIRCLE, line: "m5.6 5.6 4.8 4.8m0-4.8-4.8 4.8" },
  errored: { fill: "M8 1 15.4 14.6H.6Z", line: "M8 6v4M8 12v.6" },
  interrupted: {
    fill: "M2.5 1h11L15 2.5v11L13.5 15h-11L1 13.5v-11Z",
    line: "M6 5.4v5.2M10 5.4v5.2",
  },
  unchecked: {
    fill: "M8 .4 15.6 8 8 15.6.4 8Z",
    line: "M6.3 6.4a1.8 1.8 0 1 1 2.5 1.8Q8 8.6 8 9.3M8 11.4v.2",
  },
  skipped: { fill: CIRCLE, line: "M5 8h6" },
};

/** Makes the icon of a status. It is hidden from screen readers, which read the word beside it. */
export function statusIcon(status: ReportStatus): SVGSVGElement {
  const { fill, line } = SHAPES[status];
  return svg(
    "svg",
    { class: `icon is-${status}`, viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { class: "icon-fill", d: fill }),
    svg("path", { class: "icon-line", d: line }),
  );
}

/** Makes an icon from one path. */
export function lineIcon(path: string): SVGSVGElement {
  return svg(
    "svg",
    { class: "glyph", viewBox: "0 0 16 16", "aria-hidden": "true" },
    svg("path", { d: path }),
  );
}

/** Paths for {@linkcode lineIcon}. */
export const GLYPHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9Zm3.3 7.8 3.2 3.2",
  theme: "M8 2.2a5.8 5.8 0 1 0 0 11.6ZM8 2.2a5.8 5.8 0 0 1 0 11.6",
  help: "M6.2 6.1a1.9 1.9 0 1 1 2.6 1.8Q8 8.3 8 9.2M8 11.3v.3",
  back: "M9.5 3.5 5 8l4.5 4.5",
  next: "M6.5 3.5 11 8l-4.5 4.5",
  close: "m4 4 8 8m0-8-8 8",
} as const;
