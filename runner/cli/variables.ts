import type { Mask } from "../engine/mask.ts";
import { describeType } from "../expression/types.ts";
import type { Diagnostic } from "../language/diagnostic.ts";
import type { Declared, Recipe } from "../language/model.ts";
import { suggest } from "../language/suggest.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { UsageError } from "./usage_error.ts";

/** What is given to a variable: a text of the command line, or a value of a file. */
export type Given = { text: string } | { value: unknown };

/** `name=value` pairs as a map. */
export function readPairs(pairs: readonly string[]): Map<string, Given> {
  return new Map(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new UsageError(`--var takes name=value, not '${pair}'`);
    return [pair.slice(0, equals), { text: pair.slice(equals + 1) }];
  }));
}

/**
 * The values that `--var` and `--vars` give to a recipe's variables, each of the variable's own type.
 * @throws {UsageError} When a value is not of that type.
 */
export function variablesFor(
  recipe: Recipe,
  given: ReadonlyMap<string, Given>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { name, type } of recipe.vars) {
    const one = given.get(name);
    if (!one) continue;
    out[name] = "text" in one ? convert(name, one.text, type) : checked(name, one.value, type);
  }
  return out;
}

/**
 * Refuses names that no recipe declares.
 * @throws {UsageError} With the name that was most likely meant.
 */
export function checkNames(recipes: readonly Recipe[], given: ReadonlyMap<string, Given>): void {
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

/** What recipes declare and the command line and the environment do not give. */
export function findMissing(
  recipes: readonly Recipe[],
  given: ReadonlyMap<string, Given>,
  env: (name: string) => string | undefined,
): Diagnostic[] {
  const run = new Set(recipes);
  const found = [...withUsed(recipes)].flatMap((recipe) => {
    const isRun = run.has(recipe);
    const variables = recipe.vars.filter(({ name, value }) =>
      value === undefined && !(isRun && given.has(name))
    );
    const secrets = recipe.secrets.filter(({ name }) => env(name) === undefined);
    // What a recipe that is used has not been given by the other, the checks have told.
    const inputs = recipe.inputs.filter(({ required }) => isRun && required);
    return [
      ...variables.map((variable) =>
        missing(
          recipe,
          variable,
          "missing-variable",
          `variable \`${variable.name}\` has no value`,
          {
            label: isRun
              ? `give it one: --var ${variable.name}=…`
              : "give it one here; what another recipe hands in is an input",
          },
        )
      ),
      ...secrets.map((secret) =>
        missing(
          recipe,
          secret,
          "missing-secret",
          `secret \`${secret.name}\` is not in the environment`,
        )
      ),
      ...inputs.map((input) =>
        missing(recipe, input, "missing-variable", `input \`${input.name}\` has no value`, {
          label: "this recipe is meant to be used by another, or give it a default",
        })
      ),
    ];
  });
  // A recipe that several use has been read for each of them.
  const once = new Map(found.map((one) => [`${one.source.name}: ${one.message}`, one]));
  return [...once.values()];
}

/**
 * Hides the secrets of all recipes, and of those they use, before anything is told: what belongs to
 * one that never begins, or that begins later, can be known to another one.
 */
export function hideSecrets(
  recipes: readonly Recipe[],
  env: (name: string) => string | undefined,
  mask: Mask,
): void {
  for (const recipe of withUsed(recipes)) {
    for (const { name } of recipe.secrets) mask.add(env(name) ?? "");
  }
}

function missing(
  recipe: Recipe,
  { span }: Declared,
  code: Diagnostic["code"],
  message: string,
  details: { label?: string } = {},
): Diagnostic {
  return { code, severity: "error", message, source: recipe.source, span, ...details };
}

function checked(name: string, value: unknown, type: string): unknown {
  if (fits(value, type)) return value;
  if (type === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return String(value);
  }
  throw new UsageError(
    `Variable ${name} cannot be ${JSON.stringify(value)}: it is ${describeType(type)}`,
  );
}

/** Whether a value is of a type, and what a list holds of the type of its items. */
function fits(value: unknown, type: string): boolean {
  const items = /^list<(.*)>$/.exec(type)?.[1];
  if (items !== undefined) {
    return Array.isArray(value) && value.every((item) => fits(item, items));
  }
  if (type.startsWith("map")) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  switch (type) {
    case "string":
      return typeof value === "string";
    case "int":
      return Number.isSafeInteger(value);
    case "double":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    default:
      return true;
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
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    // A variable of no fixed type takes any text.
    if (type === "dyn") return text;
  }
  if (fits(value, type)) return value;
  throw wrong(
    type.startsWith("list") ? `${describeType(type)} as JSON, of the same items` : "a map as JSON",
  );
}
