import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { at, HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { dataOf, htmlOf } from "./_html.ts";
import { makePageModule, PAGE_FILE } from "./html_build.ts";

/** Finds the elements with a tag name. */
function elements(html: string, name: string): { attributes: string; text: string }[] {
  return Array.from(
    html.matchAll(new RegExp(`<${name}\\b([^>]*)>([\\s\\S]*?)</${name}>`, "g")),
    ([, attributes, text]) => ({ attributes: attributes!, text: text! }),
  );
}

function sha256(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

test("_page.ts is generated from the sources of the page", async () => {
  equal(await readFile(PAGE_FILE, "utf8"), await makePageModule(), "run `deno task update page`");
});

test("has a policy that allows only its own script and style, and no network", () => {
  const html = htmlOf(sampleRun());
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(html)![1]!;
  const scripts = elements(html, "script").filter(({ attributes }) => attributes === "");
  const [style] = elements(html, "style");
  equal(scripts.length, 1);
  deepEqual(policy.split("; "), [
    "default-src 'none'",
    `script-src ${sha256(scripts[0]!.text)}`,
    `style-src ${sha256(style!.text)}`,
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ]);
});

test("contains no address of another host", () => {
  const hosts = htmlOf(manyCases(3)).match(/\b(?:https?|wss?):\/\/[^\s"'<>`)]+/g) ?? [];
  deepEqual([...new Set(hosts)], ["http://www.w3.org/2000/svg"]);
});

test("escapes every text of a run, in its data and in the page without scripts", () => {
  const closing = "</script><!-- --><script>alert(2)</script>\u2028\u2029";
  const events = sampleRun().map((event): RecipeEvent =>
    event.type === "case.started" && event.case === 2
      ? { ...event, name: `${HOSTILE}${closing}`, vars: { [closing]: { [HOSTILE]: closing } } }
      : event
  );
  const html = htmlOf(events);
  deepEqual(
    elements(html, "script").map(({ attributes }) => attributes.trim()),
    ['type="application/json" id="run"', 'type="application/json" id="cases"', ""],
  );
  doesNotMatch(html, /<script>alert|<!--|[\u2028\u2029]/);
  ok(html.isWellFormed());
  // deno-lint-ignore no-control-regex -- The page must not contain these.
  doesNotMatch(html, /[\u0000-\u0008\u000b-\u001f]/);
  const { run, cases } = dataOf(html);
  equal(run.cases[2]![1], `${HOSTILE}${closing}`);
  deepEqual(cases[2]!.vars, [[closing, JSON.stringify({ [HOSTILE]: closing }, undefined, 2)]]);
});

test("shows the verdict, the counts and the failures without scripts", () => {
  const html = htmlOf(sampleRun());
  const { text } = elements(html, "noscript")[0]!;
  match(text, /<h1>Failed<\/h1>/);
  match(text, /7 cases: 1 failed, 1 errored, 1 unchecked, 1 not run, 3 passed/);
  match(text, /Cannot enqueue &#39;send-email&#39;: the server answered 403/);
  match(text, /recipes\/2\.yaml:12:5\n {2}- wait: order/);
  match(text, /&#60;script&#62;alert\(1\)&#60;\/script&#62;/);
  match(text, /␀␈␛\[31mred \\u\{d800\} \\u\{ffff\}/);
  equal([...text.matchAll(/<section>/g)].length, 4);
  match(html, /<title>Failed – 7 cases/);
});

test("marks an interrupted run", () => {
  const html = htmlOf(sampleRun({ interrupted: true }));
  match(html, /<html lang="en" data-verdict="interrupted">/);
  match(html, /<title>Interrupted – /);
  const { run } = dataOf(html);
  deepEqual([run.interrupted, run.finished, run.exitCode], [true, true, 130]);
});

test("writes a complete page, marked as interrupted, if the events stop early", () => {
  const events = sampleRun();
  const cut = events.findIndex((event) => event.type === "step.finished" && event.case === 2);
  const html = htmlOf(events.slice(0, cut));
  match(html, /data-verdict="interrupted"/);
  match(
    html,
    /<title>Interrupted – 7 cases: 5 interrupted, 2 passed; the run did not finish/,
  );
  const { run, cases } = dataOf(html);
  deepEqual([run.interrupted, run.finished, run.exitCode, run.plannedCases], [
    true,
    false,
    undefined,
    7,
  ]);
  deepEqual(run.cases.map(([number]) => number), [0, 1, 2]);
  equal(cases[2]!.steps[0]![5]!.unfinished, "");
  equal(htmlOf([]).endsWith("</html>\n"), true);
});

test("writes less than 300 bytes for each of ten thousand cases", () => {
  const size = (count: number) => htmlOf(manyCases(count)).length;
  const [small, large] = [size(1000), size(10_000)];
  ok(large < 3_000_000, String(large));
  ok(large < small * 10, `${large} and ${small}`);
});

test("cuts a huge text with a note", () => {
  const huge = "x".repeat(1_000_000);
  const events = sampleRun().map((event): RecipeEvent =>
    event.type === "log" ? { ...event, text: huge } : event
  );
  const html = htmlOf(events);
  ok(html.length < 200_000, String(html.length));
  match(html, /xxx… \(984000 more characters\)/);
});

test("cuts a long log with a note", () => {
  const events = sampleRun();
  const log = events.findIndex(({ type }) => type === "log");
  const one = events[log] as RecipeEvent & { type: "log" };
  events.splice(log, 1, ...Array.from({ length: 5000 }, () => ({ ...one, ts: at(400) })));
  const logs = dataOf(htmlOf(events)).cases[0]!.steps[1]![5]!.logs!;
  equal(logs.length, 1001);
  equal(logs.at(-1)![1], "… 4000 more lines are not in this report");
});
