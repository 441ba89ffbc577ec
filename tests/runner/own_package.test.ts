import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
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

test("recipes of another copy of the package run, those of another version are told", {
  skip: runtimeName() === "deno",
}, async () => {
  await withFiles(FILES, async (directory) => {
    const copy = join(directory, "node_modules/@dispatch/sdk");
    await mkdir(copy, { recursive: true });
    const exports = `{ "./runner": "./runner.js", "./dev": "./dev.js" }`;
    await writeFile(
      join(copy, "package.json"),
      `{ "name": "@dispatch/sdk", "type": "module", "exports": ${exports} }`,
    );
    const copyOf = async (name: string, path: string) => {
      const { url } = import.meta;
      await writeFile(join(copy, name), `export * from "${new URL(path, url)}?copy";\n`);
    };
    await copyOf("runner.js", "../../runner/mod.ts");
    await copyOf("dev.js", "../../dev/mod.ts");
    const run = async () => {
      const dev = ["--dev", join(directory, "orders.ts")];
      const child = new RunnerProcess(["runner.ts", join(directory, "order.recipe.ts"), ...dev]);
      return { code: await child.exit(), output: child.output };
    };
    const { code, output } = await run();
    assert.equal(code, 0, output);
    await writeFile(
      join(copy, "runner.js"),
      'export const recipe = () => ({ [Symbol.for("@dispatch/sdk/recipe")]: 0 });\n',
    );
    const other = await run();
    assert.equal(other.code, 2);
    assert.match(other.output, /the recipe is made by another version of this package, .*install/);
  });
});

test("on Deno, a file that imports a package which is not there says what to write", {
  skip: runtimeName() !== "deno",
}, async () => {
  await withFiles(FILES, async (directory) => {
    const root = new URL("../../", import.meta.url);
    const { imports } = JSON.parse(await readFile(new URL("deno.json", root), "utf8"));
    const own = Object.entries<string>(imports).map(([name, to]) =>
      [name, to.startsWith("./") ? new URL(to, root).href : to] as const
    );
    const isEntry = ([name]: readonly [string, string]) => name.startsWith("@dispatch/sdk");
    const map = {
      imports: Object.fromEntries(own.filter((entry) => !isEntry(entry))),
      scopes: { [root.href]: Object.fromEntries(own.filter(isEntry)) },
    };
    const path = join(directory, "map.json");
    await writeFile(path, JSON.stringify(map));
    const run = async (args: string[]) => {
      const deno = [process.execPath, "run", "-A", "--no-config", "--import-map", path];
      const child = new RunnerProcess(["runner.ts", ...args], {}, deno);
      assert.equal(await child.exit(), 2, child.output);
      return child.output;
    };
    const recipe = await run([join(directory, "order.recipe.ts")]);
    assert.match(recipe, /order\.recipe\.ts:1:24\n[^]*write `jsr:@dispatch\/sdk\/runner`; or add/);
    const dev = await run([join(directory, "order.yaml"), "--dev", join(directory, "orders.ts")]);
    assert.match(dev, /orders\.ts:1:32\): write `jsr:@dispatch\/sdk\/dev`; or add/);
  });
});
