import assert from "node:assert/strict";
import { test } from "node:test";
import { marked, type Token, type Tokens } from "marked";
import type { RecipeEvent } from "../../runner/mod.ts";
import { renderMarkdown } from "../../runner/report/markdown/markdown.ts";
import { Summarizer } from "../../runner/report/summarizer.ts";
import { HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

const bytes = (text: string) => new TextEncoder().encode(text).length;

/** The sample run with this text as every name, label and message. */
function named(text: string): RecipeEvent[] {
  return sampleRun().map((event): RecipeEvent => {
    const failure = "failure" in event && event.failure
      ? { failure: { ...event.failure, message: text, lines: text.split("\n") } }
      : {};
    return {
      ...event,
      ...("name" in event ? { name: text, file: text } : {}),
      ...("label" in event ? { label: text } : {}),
      ...("text" in event ? { text } : {}),
      ...failure,
    } as RecipeEvent;
  });
}

function flatten(tokens: readonly Token[]): Token[] {
  return tokens.flatMap((token) => {
    const { tokens = [], items = [], header = [], rows = [] } = token as Tokens.Generic;
    const cells = [...header, ...rows.flat()].flatMap((cell: Tokens.TableCell) => cell.tokens);
    return [token, ...flatten([...tokens, ...items, ...cells])];
  });
}

function tableOf(markdown: string): Tokens.Table {
  return marked.lexer(markdown).find((token) => token.type === "table") as Tokens.Table;
}

test("writes a table of the cases, and every failure in full", async () => {
  const markdown = await reportOf("markdown", sampleRun());
  assert.ok(markdown.startsWith("## 3 passed (1 flaky), 1 failed, 1 could not run, "));
  const rows = tableOf(markdown).rows.map((row) => row.map(({ text }) => text));
  assert.equal(rows.length, 7);
  assert.deepEqual(rows[0], ["passed", "`Order smoke`", "`recipes/order.yaml`", "910 ms"]);
  assert.equal(rows[1]![0], "passed, flaky");
  assert.equal(rows[2]![0], "**failed**");
  assert.equal(rows[3]![0], "**could not run**");
  assert.equal(rows[4]![0], "**checked nothing**");
  assert.equal(rows[6]![0], "not started");
  const blocks = marked.lexer(markdown).filter(({ type }) => type === "code") as Tokens.Code[];
  assert.equal(blocks.length, 3);
  const seen = HOSTILE.replace("\u0000\u0008\u001b", "␀␈␛")
    .replace("\ud800", "\\u{d800}").replace("\uffff", "\\u{ffff}");
  for (
    const part of [
      `\n  ${seen}\n`,
      "seen: running at 0 ms, failed at 1.2 s",
      "at recipes/2.yaml:12:5\n",
      "  `stats.jobs == 3` is false\n",
    ]
  ) {
    assert.ok(blocks[0]!.text.includes(part), part);
  }
  for (const title of ["### Flaky\n", "### Warnings\n"]) assert.ok(markdown.includes(title), title);
});

for (
  const text of [
    HOSTILE,
    ...["a|b", "a\\|b", "\\", "a\\", "|", "``", "`", " ` ", "```\n# big\n```", "~~~", "`````"],
    ...["@someone", "#1", "[x](javascript:alert)", "![x](y)", "https://example.test", "<b>x</b>"],
    ...["<!--", "-->", "</code>", "<details>", "&lt;", "&#124;", "**a**", "_a_", "~~a~~", "a\n\nb"],
    ...["---", "# a", "- a", "1. a", "> a", "| a |\n| - |", "    a", "\ta", ":tada:", "a\r\nb", ""],
    ...["a\n```", "\n````\n", "$a$", "[^1]", "<script>", "www.example.test", "a  \nb", "\\`a`"],
  ]
) {
  test(`quotes text so that Markdown shows it as it is: ${JSON.stringify(text)}`, async () => {
    const markdown = await reportOf("markdown", named(text));
    const tokens = flatten(marked.lexer(markdown));
    // The text has become no other element.
    const types = new Set(tokens.map(({ type }) => type));
    for (const type of ["link", "image", "del", "br", "hr", "blockquote", "def", "escape"]) {
      assert.ok(!types.has(type), type);
    }
    const html = tokens.filter(({ type }) => type === "html").map(({ raw }) => raw);
    assert.deepEqual(html.filter((raw) => raw !== "<code>" && raw !== "</code>"), []);
    assert.deepEqual(html.length % 2, 0);
    // The elements of the report are all there.
    const table = tableOf(markdown);
    assert.equal(table.rows.length, 7);
    for (const row of table.rows) {
      assert.equal(row.length, 4);
      const [, name, file] = row.map(({ tokens }) => tokens);
      assert.deepEqual(name!.map(({ type }) => type), file!.map(({ type }) => type));
      const [only] = name!;
      if (only!.type === "html") continue;
      assert.equal(only!.type, "codespan");
      assert.equal(name!.length, 1);
    }
    const blocks = tokens.filter(({ type }) => type === "code") as Tokens.Code[];
    assert.equal(blocks.length, 3);
    assert.equal(tokens.filter(({ type }) => type === "heading").length, 7);
    // The rendered page shows the same text.
    const page = await marked.parse(markdown);
    const cell = /<td><code>([\s\S]*?)<\/code><\/td>/.exec(page)![1]!
      .replace(/&#(\d+);/g, (_, code) => String.fromCharCode(code))
      .replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"')
      .replaceAll("&amp;", "&");
    const flat = (some: string) =>
      some.replace("\u0000\u0008\u001b", "␀␈␛").replace("\ud800", "\\u{d800}")
        .replace("\uffff", "\\u{ffff}").replaceAll("\r", "␍").replaceAll(/\n+/g, "⏎")
        .replaceAll(/\s/g, "");
    assert.equal(flat(cell), flat(text));
  });
}

test("marks an interrupted run", async () => {
  for (const events of [sampleRun({ interrupted: true }), sampleRun().slice(0, 20), []]) {
    const markdown = await reportOf("markdown", events);
    assert.match(markdown, /^## Interrupted: /);
    assert.ok(markdown.includes("**The run was interrupted, so this report is incomplete.**"));
  }
});

test("leaves out cases that do not fit, with a note", async () => {
  const markdown = await reportOf("markdown", manyCases(80_000));
  assert.ok(bytes(markdown) <= 1024 * 1024);
  assert.ok(markdown.includes("This table leaves out 79500 of 80000 cases."));
  assert.match(markdown, /_Not passed: \d+ more do not fit/);
  assert.equal(tableOf(markdown).rows.length, 500);
});

test("stays within the limit for any text", () => {
  for (const text of ["x".repeat(1_000_000), "😀".repeat(300_000), "|".repeat(100_000)]) {
    const summarizer = new Summarizer();
    const cases = named(text).flatMap((event) => summarizer.report(event) ?? []);
    const run = { ...summarizer.summary(), cases };
    for (const limit of [1_000, 10_000, 100_000, 1_000_000]) {
      const markdown = renderMarkdown(run, limit);
      assert.ok(bytes(markdown) <= limit, `${bytes(markdown)} of ${limit}`);
    }
  }
});
