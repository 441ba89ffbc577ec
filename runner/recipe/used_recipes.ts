import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe, UsedRecipe } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import { nestedSteps, STEP_KINDS, usedRecipe } from "../steps/step_kinds.ts";

/** Reads the files of recipes that other recipes use. */
export interface RecipeLoader {
  /**
   * Reads a file.
   *
   * @param path The path as the other recipe names it.
   * @param from The file of the other recipe.
   * @returns The path to show in messages, and the text.
   */
  load(path: string, from: string): Promise<{ name: string; text: string }>;
}

/** What {@linkcode readUsed} needs. */
export interface UseContext {
  /** Reads files. Without it no recipe can be used. */
  loader: RecipeLoader | undefined;
  /** The files that are being read, the outermost first. */
  stack: readonly string[];
  /** The files that have been read for the outermost recipe, so that each is read once. */
  known: Map<string, Promise<UsedResult>>;
  /** Reads the text of a recipe. */
  read(name: string, text: string, stack: readonly string[]): Promise<UsedResult>;
}

/** The result of reading a recipe that another one uses. */
export interface UsedResult {
  /** The recipe; absent if there are errors. */
  recipe?: Recipe;
  /** The errors and warnings. */
  diagnostics: Diagnostic[];
}

/** The most files that a recipe may use, directly or indirectly. */
const MAX_FILES = 200;
/** The most steps that a recipe may have, with those of the recipes it uses. */
export const MAX_STEPS = 20_000;

/**
 * Reads all recipes that the steps of a recipe use. This comes before its own steps are read, since
 * the results of those steps are the outputs that the used recipes declare.
 */
export async function readUsed(
  root: Node,
  from: string,
  context: UseContext,
): Promise<{ used: Map<string, UsedRecipe>; diagnostics: Diagnostic[] }> {
  const used = new Map<string, UsedRecipe>();
  const diagnostics: Diagnostic[] = [];
  if (!context.loader) return { used, diagnostics };
  for (const path of usedPaths(root)) {
    if (!/\.ya?ml$/.test(path)) {
      used.set(path, { problem: "only recipes in YAML can be used by others" });
      continue;
    }
    let name: string;
    let text: string;
    try {
      ({ name, text } = await context.loader.load(path, from));
    } catch (error) {
      used.set(path, { problem: (error as Error).message });
      continue;
    }
    if (context.stack.includes(name)) {
      const cycle = [...context.stack.slice(context.stack.indexOf(name)), name].join(" → ");
      used.set(path, { problem: `the recipes use each other: ${cycle}` });
      continue;
    }
    let reading = context.known.get(name);
    if (!reading) {
      if (context.known.size === MAX_FILES) {
        used.set(path, { problem: `more than ${MAX_FILES} recipes use each other` });
        continue;
      }
      reading = context.read(name, text, [...context.stack, name]);
      context.known.set(name, reading);
    }
    const result = await reading;
    diagnostics.push(...result.diagnostics);
    const { recipe } = result;
    if (!recipe) used.set(path, { problem: "it has errors itself" });
    else if (recipe.matrix.length > 0) {
      used.set(path, { problem: "it has a `matrix`, so it is several cases and not one step" });
    } else used.set(path, { recipe });
  }
  return { used, diagnostics };
}

const stepCounts = new WeakMap<Recipe, number>();

/** Returns how many steps a recipe has, with those of the recipes it uses. */
export function countSteps(recipe: Recipe): number {
  let count = stepCounts.get(recipe);
  if (count !== undefined) return count;
  count = 0;
  const steps = [...recipe.steps, ...recipe.always];
  for (let step = steps.pop(); step; step = steps.pop()) {
    const used = usedRecipe(step);
    count += 1 + (used ? countSteps(used) : 0);
    steps.push(...nestedSteps(step));
  }
  stepCounts.set(recipe, count);
  return count;
}

/** Returns recipes together with all recipes they use, directly or indirectly. */
export function withUsed(recipes: Iterable<Recipe>): Set<Recipe> {
  const all = new Set(recipes);
  // The loop also visits recipes that are added to the set while it runs.
  for (const { uses } of all) for (const used of uses) all.add(used);
  return all;
}

/** The keys that name the file of another recipe. */
const RECIPE_KEYS = keysOf(({ recipeKey }) => recipeKey);
/** The keys that hold steps. */
const STEPS_KEYS = new Set(["steps", "always", ...keysOf(({ stepsKey }) => stepsKey)]);

function keysOf(
  choose: (kind: typeof STEP_KINDS[string]) => string | undefined,
): ReadonlySet<string> {
  return new Set(Object.values(STEP_KINDS).flatMap((kind) => choose(kind) ?? []));
}

/** Returns the paths that the steps of a recipe name, also in nested steps. */
function usedPaths(root: Node): Set<string> {
  const paths = new Set<string>();
  const seen = new Set<Node>();
  const collect = (node: Node) => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === "list") {
      for (const item of node.items) collect(item);
    } else if (node.kind === "map") {
      for (const { key, value } of node.entries) {
        if (STEPS_KEYS.has(key)) collect(value);
        else if (
          RECIPE_KEYS.has(key) && value.kind === "scalar" && typeof value.value === "string"
        ) paths.add(value.value);
      }
    }
  };
  collect(root);
  return paths;
}
