import type { Recipe } from "../recipe/model.ts";
import { suggest } from "../recipe/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** `name=value` pairs as a map. */
export function readPairs(pairs: readonly string[]): Map<string, string> {
  return new Map(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new UsageError(`--var takes name=value, not '${pair}'`);
    return [pair.slice(0, equals), pair.slice(equals + 1)];
  }));
}

/**
 * The values that `--var` gives to a recipe's variables, each of the variable's own type.
 * @throws {UsageError} When a value is not of that type.
 */
export function variablesFor(
  recipe: Recipe,
  given: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { name, type, value } of recipe.vars) {
    if (given.has(name)) {
      const text = given.get(name);
      out[name] = typeof text === "string" ? convert(name, text, type) : text;
    } else if (value === undefined) {
      throw new UsageError(
        `Variable ${name} of '${recipe.source.name}' has no value; give it with --var ${name}=…`,
      );
    }
  }
  return out;
}

/**
 * Refuses names that no recipe declares.
 * @throws {UsageError} With the name that was most likely meant.
 */
export function checkNames(recipes: readonly Recipe[], given: ReadonlyMap<string, unknown>): void {
  const names = new Set(recipes.flatMap((recipe) => recipe.vars.map(({ name }) => name)));
  for (const name of given.keys()) {
    if (names.has(name)) continue;
    const meant = suggest(name, names);
    throw new UsageError(
      `Unknown variable ${name}${meant ? `; did you mean \`${meant}\`?` : ""}${
        names.size === 0 ? "; the recipe declares none" : ""
      }`,
    );
  }
}

/** Refuses to run when a declared secret is not there. */
export function checkSecrets(
  recipes: readonly Recipe[],
  env: (name: string) => string | undefined,
): void {
  for (const recipe of recipes) {
    for (const { name } of recipe.secrets) {
      if (env(name) !== undefined) continue;
      throw new UsageError(
        `Cannot find secret ${name} of '${recipe.source.name}' in the environment`,
      );
    }
  }
}

function convert(name: string, text: string, type: string): unknown {
  const wrong = (wanted: string) =>
    new UsageError(`Variable ${name} must be ${wanted}, not '${text}'`);
  switch (type) {
    case "int":
      if (/^[-+]?\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
      throw wrong("a whole number");
    case "double":
      if (text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
      throw wrong("a number");
    case "bool":
      if (text === "true" || text === "false") return text === "true";
      throw wrong("true or false");
    case "string":
      return text;
    default:
      break;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (type.startsWith("list") && !Array.isArray(value)) throw wrong("a list as JSON");
    return value;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    if (type.startsWith("list")) throw wrong("a list as JSON");
    // A variable of no fixed type takes any text.
    return text;
  }
}
