import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runtimeName } from "../../runtime/process.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const FILES = {
  "orders.ts": `import { defineWorkflow } from "@dispatch/sdk/dev";
export const order = defineWorkflow("order", async (wf) => await wf.step("ship", () => {}));
`,
  "order.recipe.ts": `import { recipe } from "@dispatch/sdk/runner";
export default recipe("ships", async (t) => {
  await t.wait(await t.start("order", {}), { within: "5s" });
});
`,
  "order.yaml": "steps:\n  - { id: o, start: order }\n  - { wait: o, within: 5s }\n",
};

test("files import the package that runs them where it is not installed", async () => {
  await withFiles(FILES, async (directory) => {
    const child = new RunnerProcess([
      "runner.ts",
      directory,
      "--dev",
      join(directory, "orders.ts"),
    ]);
    assert.equal(await child.exit(), 0, child.output);
    assert.match(child.output, /2 passed/);
  });
});

test("`dev` serves a file that imports the package where it is not installed", async () => {
  await withFiles(FILES, async (directory) => {
    const file = join(directory, "orders.ts");
    const child = new RunnerProcess(["runner.ts", "dev", file, "--port", "0"]);
    await child.printed("ws://127.0.0.1:");
    child.signal("SIGINT");
    assert.equal(await child.exit(), 0, child.output);
  });
});

// On Deno the import map of the clone applies to all files.
test("an installed copy of the package comes first", {
  skip: runtimeName() === "deno",
}, async () => {
  await withFiles(FILES, async (directory) => {
    const copy = join(directory, "node_modules/@dispatch/sdk");
    await mkdir(copy, { recursive: true });
    await writeFile(
      join(copy, "package.json"),
      `{ "name": "@dispatch/sdk", "type": "module", "exports": { "./dev": "./dev.js" } }`,
    );
    const workflow = `{ kind: "workflow", name: "order", run: () => {} }`;
    const log = `console.log("the installed copy")`;
    await writeFile(
      join(copy, "dev.js"),
      `${log};\nexport const defineWorkflow = () => (${workflow});\n`,
    );
    const child = new RunnerProcess([
      "runner.ts",
      "list",
      directory,
      "--dev",
      join(directory, "orders.ts"),
    ]);
    await child.exit();
    assert.match(child.output, /the installed copy/);
  });
});
