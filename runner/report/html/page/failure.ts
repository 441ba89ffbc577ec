import type { EventFailure, EventPlace } from "../../../events/event.ts";
import type { ReportStatus } from "../report_data.ts";
import { el } from "./dom.ts";
import { excerpt, lineKind } from "./shorten.ts";
import { width } from "../../../language/render_diagnostic.ts";
import { escapeInvisible } from "../../safe_text.ts";

/** Makes the card of a failure: its kind, message, lines and place. */
export function failureCard(failure: EventFailure, status: ReportStatus): HTMLElement {
  const { kind, message, code, lines, place } = failure;
  return el(
    "div",
    { class: `failure is-${status}` },
    el(
      "p",
      { class: "failure-head" },
      el("span", { class: "chip" }, kind),
      code !== undefined && el("span", { class: "chip code" }, `code ${code}`),
    ),
    el("p", { class: "message" }, message),
    lines.length > 0 &&
      el(
        "div",
        { class: "lines", tabindex: 0, role: "group", "aria-label": "Details" },
        ...lines.map(failureLine),
      ),
    place && sourceExcerpt(place),
  );
}

function failureLine(line: string): HTMLElement {
  const kind = lineKind(line);
  // The title says in words what the colour means.
  const hint = { expected: "expected", actual: "actual", plain: undefined }[kind];
  return el("div", { class: `line ${kind}`, title: hint }, line === "" ? " " : line);
}

/** Makes an excerpt of a recipe: a line with carets under the marked part. */
export function sourceExcerpt({ file, line, column, text, length }: EventPlace): HTMLElement {
  const { before, marked, after } = excerpt(text, column, length);
  const number = String(line);
  const carets = blank(escapeInvisible(before)) +
    "^".repeat(Math.max(1, width(escapeInvisible(marked))));
  return el(
    "figure",
    { class: "source" },
    el("figcaption", {}, `${file}:${line}:${column}`),
    el(
      "pre",
      { tabindex: 0 },
      el("span", { class: "gutter" }, `${number} │ `),
      el("code", {}, before, el("mark", {}, marked), after),
      "\n",
      el("span", { class: "gutter", "aria-hidden": "true" }, `${" ".repeat(number.length)} │ `),
      el("span", { class: "caret", "aria-hidden": "true" }, carets),
    ),
  );
}

/** White space as wide as a text. It keeps tabs, so that the carets are under the marked part. */
function blank(text: string): string {
  let out = "";
  for (const char of text) out += char === "\t" ? "\t" : " ".repeat(width(char));
  return out;
}
