import fc from "fast-check";
import { runPlans } from "./mix.ts";
import { runRecipes } from "./run_recipes.ts";

const RECIPES = 20;

/** Runs a fixed set of recipes; returns the hash of what each did and was reported about it. */
export async function recipeTraces(): Promise<string[]> {
  const hashes: string[] = [];
  for (const plan of fc.sample(runPlans, { seed: 1, numRuns: RECIPES })) {
    hashes.push((await runRecipes(plan)).hash());
  }
  return hashes;
}

// Another runtime runs this file to compare its hashes.
if (import.meta.main) {
  const { default: process } = await import("node:process");
  process.stdout.write(JSON.stringify(await recipeTraces()));
}
