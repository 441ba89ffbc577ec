// Runs the commands of docs/reports.md that write reports for machines.
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readTextFile } from "../../runtime/file.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { withReporterTable } from "./_docs_reporters.ts";

const docs = await readTextFile("docs/reports.md");
const section = /\n## For machines\n([^]*?)(?=\n## |$(?![^]))/.exec(docs)![1]!;
const commands = [...section.matchAll(/```sh\n([^]*?)```/g)]
  .flatMap(([, text]) => text!.trim().split("\n"))
  .filter((line) => line.startsWith("deno run -A runner.ts "));

for (const command of commands) {
  test(`docs/reports.md: ${command}`, async () => {
    await withFiles({}, async (directory) => {
      const files: string[] = [];
      const args = command.split(" ").slice(4).map((arg) => {
        const [, name, file] = /^(\w+)=([\w.]+)$/.exec(arg) ?? [];
        if (file === undefined || !Object.hasOwn(REPORTERS, name!)) return arg;
        files.push(file);
        return `${name}=${join(directory, file)}`;
      });
      const { code, out, err } = await runnerCli(args);
      assert.equal(code, 0, out + err);
      // The run has written exactly these files.
      assert.deepEqual((await readdir(directory)).toSorted(), files.toSorted());
    });
  });
}

test("docs/reports.md has commands", () => {
  assert.ok(commands.length >= 3);
});

test("docs/reports.md has the table of reporters that the registry makes", () => {
  assert.equal(docs, withReporterTable(docs), "run `deno task update reporters`");
});

test("the help of `run` lists every reporter", async () => {
  const { out } = await runnerCli(["run", "--help"]);
  for (const [name, { description }] of Object.entries(REPORTERS)) {
    assert.match(out, new RegExp(`^  ${name} +${description}$`, "m"));
  }
});
