// Runs the examples of docs/recipes.md, and compares their output with the docs.
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { test } from "node:test";
import { checkRecipe, DIAGNOSTIC_CODES, renderDiagnostic } from "../../runner/mod.ts";
import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { COMMANDS } from "../../runner/cli/commands.ts";
import { MATCHERS } from "../../runner/expression/matcher.ts";
import { INPUT_TYPES } from "../../runner/recipe/read_inputs.ts";
import { STEP_OPTIONS } from "../../runner/recipe/step_options.ts";
import { readTextFile } from "../../runtime/file.ts";
import { systemClock } from "../../runtime/mod.ts";
import { runnerCli } from "./_cli.ts";
import { withDiagnostics } from "./_docs_diagnostics.ts";
import { withStepTable } from "./_docs_steps.ts";
import { firstFailure, runRecipe, withFiles } from "./_recipe.ts";

interface Block {
  line: number;
  language: string;
  /** The text of the HTML comment above the block. */
  note: string;
  text: string;
}

const docs = await readTextFile("docs/recipes.md");
const blocks = [...docs.matchAll(/(?:<!-- (.*?) -->\n+)?```(\w+)\n([^]*?)```\n/g)].map((
  m,
): Block => ({
  note: m[1] ?? "",
  language: m[2]!,
  text: m[3]!,
  line: docs.slice(0, m.index).split("\n").length,
}));
const files = Object.fromEntries(
  blocks.filter(({ note }) => note.startsWith("file: ")).map((
    { note, text },
  ) => [note.slice(6), text]),
);

/** The text of the block after this one. */
function outputAfter(block: Block): string {
  const next = blocks[blocks.indexOf(block) + 1];
  assert.equal(next?.language, "text");
  return next!.text.trimEnd();
}

for (const block of blocks) {
  const { language, note, text, line } = block;
  test(`docs/recipes.md line ${line}: ${language} ${note}`, async () => {
    if (language === "json") return void JSON.parse(text);
    if (language === "sh") return await runCommands(text);
    if (language === "ts") return await runModule(text);
    if (language === "text") {
      // The block before compares its output with this one.
      const before = blocks[blocks.indexOf(block) - 1];
      return assert.match(before?.note ?? "", /^(exit|error): /);
    }
    const [what, argument = ""] = note.split(": ");
    assert.equal(language, what === "file" ? argument.replace(/^.*\./, "") : "yaml");
    if (what === "file") {
      const isUsed = blocks.some(({ note, text }) => note === "runs" && text.includes(argument));
      assert.ok(isUsed, `no block uses ${argument}`);
    } else if (what === "runs") {
      const env = argument === "" ? {} : { env: { [argument]: "a secret value" } };
      const { code, out, err } = await runRecipe(text, [], { files, ...env });
      assert.equal(code, 0, out + err);
      assert.ok(!out.includes("a secret value"));
    } else if (what === "virtual") {
      const args = ["--clock", "virtual"];
      const { code, out, err } = await runRecipe(text, args, { clock: systemClock });
      assert.equal(code, 0, out + err);
    } else if (what === "exit") {
      const { code, events } = await runRecipe(text);
      assert.equal(code, Number(argument));
      assert.equal(firstFailure(events).lines.join("\n"), outputAfter(block));
    } else if (what === "error") {
      const diagnostics = await checkRecipe("order.yaml", text);
      assert.deepEqual(diagnostics.map(({ code }) => code), argument.split(" "));
      assert.equal(renderDiagnostic(diagnostics[0]!), outputAfter(block));
    } else {
      assert.fail("the comment above the block does not say how to test it");
    }
  });
}

async function runCommands(text: string): Promise<void> {
  for (const command of text.trim().split("\n")) {
    const [, args] = /^deno run -A runner\.ts (.*)$/.exec(command) ?? [];
    assert.ok(args, command);
    const { code, out, err } = await runnerCli(args.split(" "));
    assert.equal(code, 0, `${command}\n${out}${err}`);
  }
}

async function runModule(text: string): Promise<void> {
  const address = pathToFileURL(join(process.cwd(), "runner/mod.ts")).href;
  const module = text.replace("@dispatch/sdk/runner", address);
  await withFiles({ "docs.recipe.ts": module }, async (directory) => {
    const { code, out, err } = await runnerCli([join(directory, "docs.recipe.ts")]);
    assert.equal(code, 0, out + err);
    assert.match(out, /the order ended as completed/);
  });
}

test("docs/recipes.md explains every diagnostic code", () => {
  // Not `equal`: its message would show the whole page, twice.
  assert.ok(docs === withDiagnostics(docs), "deno task update diagnostics");
});

test("docs/recipes.md has a row for every step kind", () => {
  assert.ok(docs === withStepTable(docs), "deno task update steps");
});

for (
  const [what, heading, names] of [
    ["step option", "Steps", Object.keys(STEP_OPTIONS)],
    ["matcher", "Asserting", Object.keys(MATCHERS)],
    ["type of an input", "Recipes that use others", INPUT_TYPES],
    ["command", "The command line", Object.keys(COMMANDS)],
  ] as const
) {
  test(`docs/recipes.md names every ${what}`, () => {
    const section = docs.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
    for (const name of names) assert.match(section, new RegExp("[`{ ]" + name + "[`:,} ]"), name);
  });
}

for (
  const [code, names] of [
    ["bad-matcher", Object.keys(MATCHERS)],
    ["unknown-state", [...JOB_STATES, ...RUN_STATES]],
  ] as const
) {
  test(`the explanation of ${code} is complete`, () => {
    const { explanation } = DIAGNOSTIC_CODES[code];
    for (const name of names) assert.ok(explanation.includes(`\`${name}\``), name);
  });
}
