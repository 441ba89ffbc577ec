import type { Diagnostic } from "../language/diagnostic.ts";
import { readRecipe } from "./read_recipe.ts";

/**
 * Checks a YAML recipe as every run does before it sends anything.
 *
 * @param name The name that messages show.
 * @param text The YAML.
 * @returns Errors and warnings, in the order of the text; none when all is well.
 *
 * @example
 * ```ts
 * import { checkRecipe, renderDiagnostic } from "@dispatch/sdk/runner";
 *
 * const diagnostics = await checkRecipe("typo.yaml", "steps:\n  - enqeue: send-email\n");
 * const text = diagnostics.map((diagnostic) => renderDiagnostic(diagnostic)).join("\n\n");
 * ```
 */
export async function checkRecipe(name: string, text: string): Promise<Diagnostic[]> {
  return (await readRecipe(name, text)).diagnostics;
}
