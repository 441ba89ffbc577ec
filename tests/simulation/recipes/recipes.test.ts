import { deepEqual, equal } from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toolsEnv } from "../../run_tools.mjs";
import { describeFailure, search } from "../search.ts";
import { CORPUS } from "./corpus.ts";
import { RECIPES, runRecipes } from "./run_recipes.ts";
import { recipeTraces } from "./traces.ts";

for (const { what, plan } of CORPUS) {
  test(what, async () => {
    deepEqual((await runRecipes(plan)).violations, []);
  });
}

/** The runtime that the hashes of this one are compared with: in a circle, so that all are. */
const OTHER: readonly string[] = "Bun" in globalThis
  ? ["deno", "run", "-A", "--no-check"]
  : "Deno" in globalThis
  ? ["node"]
  : ["bun"];

test(`the same recipes leave the same traces here and on ${OTHER[0]}`, async () => {
  const [command, ...args] = OTHER;
  const file = fileURLToPath(new URL("traces.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(command!, [...args, file], { env: toolsEnv() });
  deepEqual(await recipeTraces(), JSON.parse(stdout));
});

/** The milliseconds for random recipes, and how many run at least in CI. */
const TIME = 4_000;
const LEAST = process.env.CI ? 100 : 0;

const seed = Math.floor(Math.random() * 2 ** 31);
test(`random recipes contradict no rule, seed ${seed}`, async (context) => {
  const result = await search({ seed, programs: 1e6, ms: TIME, atLeast: LEAST }, RECIPES);
  context.diagnostic?.(`${result.ran} recipes`);
  equal(result.failure && describeFailure(result, RECIPES), undefined);
});
