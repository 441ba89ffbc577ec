import type { EventFailure } from "../../events/event.ts";
import { ciCommandsToEntities, escapeInvisible } from "../safe_text.ts";
import { runDuration, runSentence, STATUS_LABELS } from "./labels.ts";
import { CASE_STATUSES, type CaseDetails, type ReportIndex } from "./report_data.ts";
import type { CollectedRun } from "./run_collector.ts";

/** How many cases the page lists without scripts. */
const MAX_CASES = 100;

/** Escapes text for an element, or for an attribute in double quotes. */
export function escapeHtml(text: string): string {
  const html = escapeInvisible(text).replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  return ciCommandsToEntities(html);
}

/** The page for browsers without scripts: the verdict, the counts and the failures. */
export function staticPage({ index, details }: CollectedRun): string {
  const parts: string[] = [head(index)];
  let notPassed = 0;
  for (const [i, row] of index.cases.entries()) {
    const [, name, file, statusIndex] = row;
    const status = CASE_STATUSES[statusIndex]!;
    if (status === "passed" || ++notPassed > MAX_CASES) continue;
    const { failure, steps, quarantine } = JSON.parse(details(i)) as CaseDetails;
    const shown = typeof failure === "number" ? steps[failure]?.[5]?.failure : failure;
    parts.push(
      `<section><h2>${STATUS_LABELS[status]}: ${escapeHtml(name)}</h2>` +
        `<p>${escapeHtml(index.files[file]!)}</p>` +
        (quarantine
          ? `<p>In quarantine until ${escapeHtml(`${quarantine.until}: ${quarantine.reason}`)}</p>`
          : "") +
        `${shown ? failureHtml(shown) : ""}</section>`,
    );
  }
  const hidden = notPassed - MAX_CASES;
  if (hidden > 0) parts.push(`<p>Enable scripts to see ${hidden} more.</p>`);
  return parts.join("\n");
}

function head(index: ReportIndex): string {
  const startedAt = new Date(index.startedAt).toISOString();
  return `<h1>${STATUS_LABELS[index.verdict]}</h1>\n<p>${escapeHtml(runSentence(index))}</p>\n` +
    `<p>Server ${escapeHtml(index.server)}, ${startedAt}, ${runDuration(index)}</p>`;
}

function failureHtml({ message, code, lines, place }: EventFailure): string {
  const where = place ? `\n${place.file}:${place.line}:${place.column}\n${place.text}` : "";
  const text = `${message}${code === undefined ? "" : ` (${code})`}\n${lines.join("\n")}${where}`;
  return `<pre>${escapeHtml(text)}</pre>`;
}
