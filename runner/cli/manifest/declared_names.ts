import { withUsed } from "../../recipe/used_recipes.ts";
import type { Recipe } from "../../language/model.ts";

/** The environment variables that a container needs besides the address and the token. */
export interface DeclaredNames {
  /** Those that must be there: keys of the Secret. */
  secrets: readonly string[];
  /** Those that recipes can do without. */
  variables: readonly string[];
}

/** The variables that a container has anyway. */
const OWN: ReadonlySet<string> = new Set([
  "DISPATCH_URL",
  "DISPATCH_TOKEN",
  "DISPATCH_PAGE_TOKEN",
]);

/**
 * Returns the environment variables that recipes declare, and those that they use.
 * @param more Secrets that something else declares.
 */
export function declaredNames(
  recipes: readonly Recipe[],
  more: readonly { name: string }[] = [],
): DeclaredNames {
  const all = [...withUsed(recipes)];
  const secrets = namesOf([...all.flatMap(({ secrets }) => secrets), ...more]);
  const variables = namesOf(all.flatMap(({ env }) => env));
  return { secrets, variables: variables.filter((name) => !secrets.includes(name)) };
}

function namesOf(declared: readonly { name: string }[]): string[] {
  return [...new Set(declared.map(({ name }) => name))].filter((name) => !OWN.has(name)).sort();
}
