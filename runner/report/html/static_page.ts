import type { EventFailure } from "../../events/event.ts";
import type { CollectedRun } from "./collect.ts";
import { CASE_STATUSES, type CaseDetails, type ReportIndex } from "./data.ts";
import { visible } from "../visible.ts";
import { duration, sentence, WORDS } from "./words.ts";

/** So many failures are told to a browser that runs no scripts. */
const FAILURES = 100;

/** Text for HTML, in an element or in an attribute between double quotes. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** What a browser shows that runs no scripts: the verdict, the counts, and the failures. */
export function staticPage({ index, details }: CollectedRun): string {
  const parts: string[] = [head(index)];
  let left = 0;
  let shown = 0;
  for (const [i, row] of index.cases.entries()) {
    const [, name, file, status] = row;
    if (CASE_STATUSES[status] === "passed") continue;
    if (shown++ >= FAILURES) {
      left++;
      continue;
    }
    const { failure, steps } = JSON.parse(details[i]!) as CaseDetails;
    const told = typeof failure === "number" ? steps[failure]?.[5]?.failure : failure;
    parts.push(
      `<section><h2>${WORDS[CASE_STATUSES[status]!]}: ${escapeHtml(name)}</h2>` +
        `<p>${escapeHtml(index.files[file]!)}</p>${told ? failureHtml(told) : ""}</section>`,
    );
  }
  if (left > 0) parts.push(`<p>${left} more are shown where scripts run.</p>`);
  return parts.join("\n");
}

function head(index: ReportIndex): string {
  const began = new Date(index.began).toISOString();
  return `<h1>${WORDS[index.verdict]}</h1>\n<p>${escapeHtml(sentence(index))}</p>\n` +
    `<p>Server ${escapeHtml(index.server)}, ${began}, ${duration(index.duration)}</p>`;
}

function failureHtml({ message, code, lines, place }: EventFailure): string {
  const where = place ? `\n${place.file}:${place.line}:${place.column}\n${place.text}` : "";
  const text = `${message}${code === undefined ? "" : ` (${code})`}\n${lines.join("\n")}${where}`;
  return `<pre>${escapeHtml(text)}</pre>`;
}
