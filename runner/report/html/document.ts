import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "./_page.ts";
import { runSentence, STATUS_LABELS } from "./labels.ts";
import type { Verdict } from "./report_data.ts";
import type { CollectedRun } from "./run_collector.ts";
import { makeJsonSafe } from "../safe_text.ts";
import { escapeHtml, staticPage } from "./static_page.ts";

/** Allows only the script and style of the page by their hashes, and images in data URLs. */
const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const ICON_COLORS: Readonly<Record<Verdict, string>> = {
  passed: "1a7f4b",
  failed: "c8322b",
  errored: "9b2c8f",
  interrupted: "9a6700",
  unchecked: "57606a",
};

/** The report as one HTML document that loads nothing else, in chunks to write one by one. */
export function* documentChunks(run: CollectedRun): Generator<string> {
  const { index, details } = run;
  const title = escapeHtml(`${STATUS_LABELS[index.verdict]} – ${runSentence(index)}`);
  const icon =
    `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E` +
    `%3Ccircle cx='8' cy='8' r='7' fill='%23${ICON_COLORS[index.verdict]}'/%3E%3C/svg%3E`;
  yield `<!doctype html>
<html lang="en" data-verdict="${index.verdict}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="${icon}">
<style>${STYLE}</style>
</head>
<body>
<noscript>
${staticPage(run)}
</noscript>
<script type="application/json" id="run">${escapeJson(JSON.stringify(index))}</script>
<script type="application/json" id="cases">[
`;
  // One line per case: the page parses the details of a case only when it shows them.
  for (const i of index.cases.keys()) {
    yield escapeJson(details(i)) + (i < index.cases.length - 1 ? ",\n" : "");
  }
  yield `
]</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

/**
 * Escapes JSON for a `<script>` element, which `</script>` would end and in which `<!--` starts a
 * comment.
 */
function escapeJson(json: string): string {
  return makeJsonSafe(json).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e");
}
