// Modules that export several recipes.
import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const MOD = pathToFileURL(join(process.cwd(), "runner/mod.ts")).href;
const module = (body: string) => `import { recipe } from ${JSON.stringify(MOD)};\n${body}`;

const SEVERAL = module(`
export const helper = (n) => n + 1;
export const zebra = recipe("Zebra", { tags: ["smoke"] }, (t) => t.assert(true));
export const ant = recipe.each([{ n: 1 }, { n: 2 }])("Ant", (t) => t.assert(helper(t.matrix.n) < 4));
const main = recipe("Main", (t) => {
  t.assert(1 == 2, "main fails");
});
export default main;
export { main };
`);

/** Runs a command on a module, with its output; paths are left out. */
async function cli(text: string, command: string, ...args: string[]) {
  return await withFiles({ "a.recipe.ts": text }, async (directory) => {
    const { code, out, err } = await runnerCli([command, join(directory, "a.recipe.ts"), ...args]);
    const plain = (text: string) => text.replaceAll(`${directory}/`, "");
    return { code, out: plain(out), err: plain(err) };
  });
}

const names = (json: string) => JSON.parse(json).cases.map(({ name }: { name: string }) => name);

test("runs the default export first, then the named ones as they are declared, each once", async () => {
  const { code, out } = await cli(SEVERAL, "run", "--reporter", "json");
  equal(code, 1);
  deepEqual(names(out), ["Main", "Zebra", "Ant [n=1]", "Ant [n=2]"]);
  const [main] = JSON.parse(out).cases;
  deepEqual([main.failure.place.file, main.failure.place.line], ["a.recipe.ts", 7]);
});

test("a module needs no default export", async () => {
  const text = SEVERAL.replace("export default main;", "").replace("export { main };", "");
  const { code, out } = await cli(text, "run", "--reporter", "json");
  deepEqual([code, names(out)], [0, ["Zebra", "Ant [n=1]", "Ant [n=2]"]]);
});

test("list, check, --grep, --tag and --shard see each recipe", async () => {
  const listed = await cli(SEVERAL, "list");
  equal(
    listed.out,
    "a.recipe.ts  Main\na.recipe.ts  Zebra  [smoke]\na.recipe.ts  Ant (2 cases)\n",
  );
  equal((await cli(SEVERAL, "check")).out, "3 recipes are valid\n");
  const run = async (...args: string[]) =>
    names((await cli(SEVERAL, "run", "--reporter", "json", ...args)).out);
  deepEqual(await run("--tag", "smoke"), ["Zebra"]);
  deepEqual(await run("--grep", "Ant"), ["Ant [n=1]", "Ant [n=2]"]);
  const shards = [await run("--shard", "1/2"), await run("--shard", "2/2")];
  deepEqual(shards.flat().toSorted(), ["Ant [n=1]", "Ant [n=2]", "Main", "Zebra"]);
});

test("shows all mistakes of all recipes, and two of one name", async () => {
  const { code, out, err } = await cli(
    module(`
export const a = recipe("Same", { timeout: "soon" }, () => {});
export const b = recipe("Same", () => {});
export const c = recipe("C", { tagz: [] }, () => {});
`),
    "run",
  );
  equal(code, 2);
  match(out + err, /`timeout`: `soon` is not a duration\n --> a\.recipe\.ts:3:/);
  match(out + err, /another recipe of this module is called `Same`, too\n --> a\.recipe\.ts:4:/);
  match(out + err, /unknown option `tagz`[^]*--> a\.recipe\.ts:5:/);
});

test("a default export that is no recipe is refused, also beside named ones", async () => {
  for (const body of ["export default 7;", "export const a = 1;"]) {
    const text = module(
      body === "export default 7;"
        ? `${body}\nexport const b = recipe("B", (t) => t.assert(true));\n`
        : body,
    );
    const { code, out, err } = await cli(text, "check");
    equal(code, 2);
    match(out + err, /the module's default export is not a recipe/);
  }
});
