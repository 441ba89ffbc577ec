import type { Recipe } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import type { Output } from "../report/reporter.ts";
import type { LoadedRecipes } from "./load_recipes.ts";

/** Recipes that can run on their own, and those that only other recipes can run. */
export interface SplitRecipes {
  /** The recipes to run. */
  recipes: Recipe[];
  /** The recipes with required inputs, which only a recipe that uses them can pass. */
  leftOut: Recipe[];
}

/**
 * Leaves out the recipes that need inputs, if they come from a directory or if another recipe uses
 * them. A recipe that is named on the command line stays: running it is a mistake to report.
 */
export function leaveOutUsed({ recipes, named }: LoadedRecipes): SplitRecipes {
  const used = new Set(
    [...withUsed(recipes.flatMap(({ uses }) => uses))].map(({ source }) => source.name),
  );
  const isLeftOut = (recipe: Recipe) =>
    neededInputs(recipe).length > 0 &&
    (!named.has(recipe.source.name) || used.has(recipe.source.name));
  return {
    recipes: recipes.filter((recipe) => !isLeftOut(recipe)),
    leftOut: recipes.filter(isLeftOut),
  };
}

/** Prints which recipes are left out, and why. */
export function printLeftOut(leftOut: readonly Recipe[], err: Output): void {
  for (const recipe of leftOut) {
    const names = neededInputs(recipe).map((name) => `\`${name}\``).join(", ");
    const what = names.includes(",") ? "the inputs" : "the input";
    err.write(
      `'${recipe.source.name}' is left out: it needs ${what} ${names}, which only a recipe that uses it can pass\n`,
    );
  }
}

function neededInputs({ inputs }: Recipe): string[] {
  return inputs.filter(({ required }) => required).map(({ name }) => name);
}
