import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe, UsedRecipe } from "../language/model.ts";
import type { Node } from "../language/node.ts";

/** Reads recipes that others use. */
export interface RecipeLoader {
  /**
   * The text of a file that is named in another.
   * @returns The path to show and the text.
   */
  load(path: string, from: string): Promise<{ name: string; text: string }>;
}

/** What reading a used recipe needs. */
export interface UseContext {
  /** Reads files; without it nothing can be used. */
  loader: RecipeLoader | undefined;
  /** The files that are being read, from the outermost on. */
  stack: readonly string[];
  /** Reads a recipe's text. */
  read(name: string, text: string, stack: readonly string[]): Promise<{
    recipe?: Recipe;
    diagnostics: Diagnostic[];
  }>;
}

/**
 * Reads all recipes that a recipe's steps use, before its own steps are read: what those leave is
 * what the used recipes declare.
 */
export async function readUsed(
  root: Node,
  from: string,
  context: UseContext,
): Promise<{ used: Map<string, UsedRecipe>; diagnostics: Diagnostic[] }> {
  const used = new Map<string, UsedRecipe>();
  const diagnostics: Diagnostic[] = [];
  const paths = new Set<string>();
  collect(root, paths, new Set());
  for (const path of paths) {
    if (!context.loader) continue;
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
      const circle = [...context.stack.slice(context.stack.indexOf(name)), name].join(" → ");
      used.set(path, { problem: `the recipes use each other in a circle: ${circle}` });
      continue;
    }
    const result = await context.read(name, text, [...context.stack, name]);
    diagnostics.push(...result.diagnostics);
    const { recipe } = result;
    if (!recipe) used.set(path, { problem: "it has errors itself" });
    else if (recipe.matrix.length > 0) {
      used.set(path, { problem: "it has a `matrix`, so it is several cases and not one step" });
    } else used.set(path, { recipe });
  }
  return { used, diagnostics };
}

/** Recipes, and all that they use, and those use in turn. */
export function withUsed(recipes: Iterable<Recipe>): Set<Recipe> {
  const all = new Set(recipes);
  // A set gives what is added while it is walked.
  for (const { uses } of all) for (const used of uses) all.add(used);
  return all;
}

/** The values of all `use` keys of steps, also inside `parallel`. */
function collect(node: Node, paths: Set<string>, seen: Set<Node>): void {
  if (seen.has(node)) return;
  seen.add(node);
  if (node.kind === "list") {
    for (const item of node.items) collect(item, paths, seen);
  } else if (node.kind === "map") {
    for (const { key, value } of node.entries) {
      if (key === "use" && value.kind === "scalar" && typeof value.value === "string") {
        paths.add(value.value);
      } else if (key === "steps" || key === "always" || key === "parallel") {
        collect(value, paths, seen);
      }
    }
  }
}
