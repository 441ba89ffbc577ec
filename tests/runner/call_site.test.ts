import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { RecipeEvent } from "../../runner/mod.ts";
import { callSites } from "../../runner/events/call_site.ts";
import { firstLine } from "../../runner/script/module_error.ts";
import { runnerCli } from "./_cli.ts";
import { ends, withFiles } from "./_recipe.ts";
import { runScript, scriptModule } from "./_script.ts";

const FRAMES = {
  Linux: ["/$bunfs/root/dispatch-linux-x64:7:1", "/runner/orders.ts"],
  Windows: ["B:/~BUN/root/_12.js:7:1", "C:/runner/orders.ts"],
};

for (const [system, [own, file]] of Object.entries(FRAMES)) {
  test(`frames of an executable's own modules are left out on ${system}`, () => {
    const stack = `Error: no\n    at fail (${own})\n    at async ${file}:3:5`;
    deepEqual(callSites(stack), [{ file, line: 3, column: 5 }]);
  });
}

test("a failed import does not name the module of the runner that imports", () => {
  const missing = "Cannot find module '/me/a.ts'";
  for (
    const importer of [
      "/clone/runner/script/load_script.ts",
      "/me/node_modules/@dispatch/sdk/dev/load_workload.js",
      "/$bunfs/root/dispatch-98ykdbd8.js",
      "B:\\~BUN\\root\\_12.js",
    ]
  ) {
    equal(firstLine(new Error(`${missing} imported from ${importer}`)), missing);
  }
  const users = `${missing} imported from /me/b.ts`;
  equal(firstLine(new Error(users)), users);
});

// Bun forgets a function that returns what it calls, and with it the only place in the module.
const PLACES: Readonly<Record<string, [made: string, text: string, line: number]>> = {
  "an expectation": [
    'recipe("Tail", (t) => {\n  return t.expect(1).toBe(2);\n})',
    "  return t.expect(1).toBe(2);",
    3,
  ],
  "an expectation in a function of the recipe": [
    'recipe("Tail", async (t) => {\n  const check = () => t.expect(1).toBe(2);\n\n  check();\n})',
    "  const check = () => t.expect(1).toBe(2);",
    3,
  ],
};
for (const [what, [made, text, line]] of Object.entries(PLACES)) {
  test(`${what} that is the last call of its function has its place`, async () => {
    const { events } = await runScript(made);
    const failed = ends(events).find(({ failure }) => failure !== undefined);
    const { place } = failed!.failure!;
    deepEqual([place?.text, place?.line], [text, line]);
  });
}

test("a step of a function that is the last call of the recipe has the recipe's place", async () => {
  const { events } = await runScript('recipe("Tail", (t) => t.assert(false))');
  const { place } = ends(events).find(({ failure }) => failure !== undefined)!.failure!;
  deepEqual([place?.text, place?.line], [
    'export default recipe("Tail", (t) => t.assert(false));',
    2,
  ]);
});

test("a step that another module calls has a place in the recipe's module", async () => {
  const files = {
    "lib.ts": "\n\n\n\n\nexport function check(t) {\n  t.assert(false);\n  return 1;\n}\n",
    "r.recipe.ts": 'import { check } from "./lib.ts";\n' +
      scriptModule('recipe("Far", async (t) => {\n  check(t);\n  await 1;\n})'),
  };
  await withFiles(files, async (directory) => {
    const { out } = await runnerCli([join(directory, "r.recipe.ts"), "--reporter", "jsonl"]);
    const events = out.split("\n").filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as RecipeEvent);
    const { place } = ends(events).find(({ failure }) => failure !== undefined)!.failure!;
    deepEqual([place?.text, place?.line], ["  check(t);", 4]);
  });
});
