import { fileURLToPath } from "node:url";
import { readCases } from "../../../runner/cli/cases/read_cases.ts";
import { loadPatterns } from "../../../runner/expression/load_patterns.ts";
import type { Template } from "../../../runner/expression/template.ts";
import type { Recipe } from "../../../runner/language/model.ts";
import { Source } from "../../../runner/mod.ts";
import { readRecipe } from "../../../runner/recipe/read_recipe.ts";
import type { WorldClock } from "../../../testing/mod.ts";
import { scriptRecipe } from "../../runner/_engine.ts";
import type { RecipeModel, RunModel } from "./model.ts";
import { scriptOf } from "./recipe_script.ts";
import { PLACES, quarantineOf, usedYaml, yamlOf } from "./recipe_text.ts";

/**
 * Builds the recipes of a run as the runner reads them.
 * @param worldBegan When the world began, in milliseconds since 1970.
 */
export async function buildRecipes(
  model: RunModel,
  worldBegan: number,
  clock: WorldClock,
): Promise<Recipe[]> {
  const used = usedYaml(model);
  return await Promise.all(
    model.recipes.map((recipe) =>
      recipe.plan.isScript ? script(recipe, worldBegan, clock) : yaml(recipe, worldBegan, used)
    ),
  );
}

async function yaml(
  recipe: RecipeModel,
  worldBegan: number,
  used: Record<string, string>,
): Promise<Recipe> {
  const text = yamlOf(recipe, worldBegan);
  const load = (name: string) => Promise.resolve({ name, text: used[name]! });
  const read = await readRecipe(recipe.file, text, { load });
  if (read.recipe) return await withRows(read.recipe, recipe);
  throw new Error(`the recipe is not valid: ${read.diagnostics[0]!.message}\n${text}`);
}

/** Reads the rows of a recipe's \`cases\`. */
async function withRows(recipe: Recipe, { plan: { rows: file } }: RecipeModel): Promise<Recipe> {
  if (file === undefined) return recipe;
  const { rows } = await readCases(recipe, fileURLToPath(new URL(`rows/${file}`, import.meta.url)));
  return { ...recipe, rows };
}

async function script(
  recipe: RecipeModel,
  worldBegan: number,
  clock: WorldClock,
): Promise<Recipe> {
  await loadPatterns();
  const body = scriptOf(recipe, () => {
    let release: (() => void) | undefined;
    let isCleaningUp = false;
    return {
      onBodyEnd() {
        // A function that catches failures can end after its clean-up has begun.
        if (!isCleaningUp) release = clock.freeze();
      },
      onCleanUp() {
        isCleaningUp = true;
        release?.();
        release = undefined;
      },
    };
  });
  const { file, plan: { matrix, numbers = [undefined], timeout, rows } } = recipe;
  const span = { start: 0, end: 0 };
  const literal = (value: string) => ({ kind: "literal" as const, value });
  const quarantine = quarantineOf(recipe, worldBegan);
  return await withRows(
    scriptRecipe(body, {
      name: "Simulated",
      source: new Source(file, "export default recipe();\n"),
      matrix: matrix?.flatMap((place) =>
        numbers.map((n) => ({ place, ...(n === undefined ? {} : { n }) }))
      ) ?? [],
      secrets: ["API", "KEY"].map((name) => ({ name, span })),
      env: [{ name: "PLACE", span, default: PLACES.own }],
      vars: rows === undefined
        ? []
        : [{ name: "row", span, type: "string", value: literal("no row") as Template }],
      timeout: timeout === undefined ? undefined : literal(`${timeout}ms`) as Template,
      ...(quarantine ? { quarantine: { ...quarantine, ends: Date.parse(quarantine.until) } } : {}),
    }),
    recipe,
  );
}
