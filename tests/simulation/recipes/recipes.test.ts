import { deepEqual, equal } from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { describeFailure, search } from "../search.ts";
import { isNode, tracesElsewhere } from "../traces_elsewhere.ts";
import { CORPUS } from "./corpus.ts";
import { RECIPES, runRecipes } from "./run_recipes.ts";
import { recipeTraces } from "./traces.ts";

for (const { what, plan } of CORPUS) {
  test(what, async () => {
    deepEqual((await runRecipes(plan)).violations, []);
  });
}

if (isNode) {
  test("the same recipes leave the same traces on Deno, Bun and Node", async () => {
    const [here, ...others] = await Promise.all([
      recipeTraces(),
      ...tracesElsewhere("recipes/traces.ts"),
    ]);
    for (const other of others) deepEqual(other, here);
  });
}

/** The milliseconds for random recipes, and how many run even if that takes longer. */
const [TIME, LEAST] = process.env.CI ? [5_000, 100] : [4_000, 0];

const seed = Math.floor(Math.random() * 2 ** 31);
test(`random recipes contradict no rule, seed ${seed}`, async (context) => {
  const result = await search({ seed, programs: 1e6, ms: TIME, atLeast: LEAST }, RECIPES);
  context.diagnostic?.(`${result.ran} recipes`);
  equal(result.failure && describeFailure(result, RECIPES), undefined);
});
