import { SCRIPT, SCRIPT_HASH, STYLE, STYLE_HASH } from "./_page.ts";
import type { CollectedRun } from "./collect.ts";
import type { Verdict } from "./data.ts";
import { embedJson } from "./embed.ts";
import { escapeHtml, staticPage } from "./static_page.ts";
import { sentence, WORDS } from "./words.ts";

/** Nothing but this very script and style, and icons that are in the page itself. */
const POLICY = [
  "default-src 'none'",
  `script-src '${SCRIPT_HASH}'`,
  `style-src '${STYLE_HASH}'`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

const COLORS: Readonly<Record<Verdict, string>> = {
  passed: "1a7f4b",
  failed: "c8322b",
  errored: "9b2c8f",
  interrupted: "9a6700",
  unchecked: "57606a",
};

/** The report as one HTML document that asks for no other file. */
export function* makeDocument(run: CollectedRun): Generator<string> {
  const { index, details } = run;
  const title = escapeHtml(`${WORDS[index.verdict]} – ${sentence(index)}`);
  const icon =
    `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E` +
    `%3Ccircle cx='8' cy='8' r='7' fill='%23${COLORS[index.verdict]}'/%3E%3C/svg%3E`;
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
<script type="application/json" id="run">${embedJson(index)}</script>
<script type="application/json" id="cases">[
`;
  // A line for each case: the page reads one when it is opened, not all of them when it starts.
  for (const [i, line] of details.entries()) yield i < details.length - 1 ? `${line},\n` : line;
  yield `
]</script>
<script>${SCRIPT}</script>
</body>
</html>
`;
}
