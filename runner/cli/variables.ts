import type { Mask } from "../engine/mask.ts";
import { describeType } from "../expression/types.ts";
import type { Diagnostic } from "../language/diagnostic.ts";
import type { Declared, Recipe } from "../language/model.ts";
import { suggest } from "../../runtime/suggest.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { UsageError } from "./args.ts";

/** A value for a variable: text from the command line, or a value from a file. */
export type VariableInput = { text: string } | { value: unknown };

/**
 * Parses the values of `--var`.
 * @throws {UsageError} When one is not `name=value`.
 */
export function parseVarOptions(pairs: readonly string[]): Map<string, VariableInput> {
  return new Map(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    if (equals < 1) throw new UsageError(`--var must be name=value, not '${pair}'`);
    return [pair.slice(0, equals), { text: pair.slice(equals + 1) }];
  }));
}

/**
 * Converts inputs to the types of a recipe's variables.
 * @throws {UsageError} When an input does not fit the type of its variable.
 */
export function resolveVariables(
  recipe: Recipe,
  inputs: ReadonlyMap<string, VariableInput>,
): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const { name, type } of recipe.vars) {
    const input = inputs.get(name);
    if (!input) continue;
    out[name] = convertInput(name, input, type);
  }
  return out;
}

/**
 * Converts an input to the type of its variable.
 * @throws {UsageError} When it does not fit.
 */
export function convertInput(name: string, input: VariableInput, type: string): unknown {
  return "text" in input
    ? convertText(name, input.text, type)
    : convertValue(name, input.value, type);
}

/**
 * Checks that recipes declare all variables that the user sets.
 * @throws {UsageError} For one that no recipe declares, with a suggestion.
 */
export function checkVariableNames(
  recipes: readonly Recipe[],
  inputs: ReadonlyMap<string, VariableInput>,
): void {
  const names = new Set(recipes.flatMap((recipe) => recipe.vars.map(({ name }) => name)));
  for (const name of inputs.keys()) {
    if (names.has(name)) continue;
    const suggestion = suggest(name, names);
    throw new UsageError(
      `Unknown variable ${name}${suggestion ? `; did you mean \`${suggestion}\`?` : ""}${
        names.size === 0 ? "; the recipe declares no variables" : ""
      }`,
    );
  }
}

/** Finds variables, secrets and inputs of recipes and of those they use that have no value. */
export function findMissingValues(
  recipes: readonly Recipe[],
  inputs: ReadonlyMap<string, VariableInput>,
  env: (name: string) => string | undefined,
): Diagnostic[] {
  const entryPoints = new Set(recipes);
  const found = [...withUsed(recipes)].flatMap((recipe) => {
    const isEntryPoint = entryPoints.has(recipe);
    const variables = recipe.vars.filter(({ name, value }) =>
      // A row without a value for it has been reported already.
      value === undefined && !(isEntryPoint && (inputs.has(name) || recipe.rows))
    );
    const secrets = recipe.secrets.filter(({ name }) => env(name) === undefined);
    // The checks have already reported inputs that a recipe does not pass to one it uses.
    const unset = recipe.inputs.filter(({ required }) => isEntryPoint && required);
    return [
      ...variables.map((variable) =>
        missing(
          recipe,
          variable,
          "missing-variable",
          `variable \`${variable.name}\` has no value`,
          {
            label: isEntryPoint
              ? `set it with --var ${variable.name}=…`
              : "set it here, or make it an input that the calling recipe passes",
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
      ...unset.map((input) =>
        missing(recipe, input, "missing-variable", `input \`${input.name}\` has no value`, {
          label: "give it a default, or run a recipe that uses this one",
        })
      ),
    ];
  });
  // A recipe that several others use was read several times.
  const distinct = new Map(found.map((one) => [`${one.source.name}: ${one.message}`, one]));
  return [...distinct.values()];
}

/**
 * Masks the secrets of all recipes and of those they use. This comes before any output, because a
 * value can appear in the output of a recipe that does not declare it as a secret.
 */
export function maskSecrets(
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

function convertValue(name: string, value: unknown, type: string): unknown {
  refuseUnusable(name, value);
  if (hasType(value, type)) return value;
  if (type === "string" && (typeof value === "number" || typeof value === "boolean")) {
    return String(value);
  }
  throw new UsageError(
    `Variable ${name} must be ${describeType(type)}, not ${JSON.stringify(value)}`,
  );
}

/** Whether a value has a type; the items of a list are checked too. */
function hasType(value: unknown, type: string): boolean {
  const items = /^list<(.*)>$/.exec(type)?.[1];
  if (items !== undefined) {
    return Array.isArray(value) && value.every((item) => hasType(item, items));
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

/** How deep lists and maps may be nested, as in a recipe. */
const MAX_DEPTH = 100;

/** Refuses values that a recipe cannot have either. */
function refuseUnusable(name: string, value: unknown): void {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new UsageError(`Variable ${name} is nested too deep`);
    for (const one of level) {
      if (typeof one === "number" && !Number.isFinite(one)) {
        throw new UsageError(`Variable ${name} has a number that JSON cannot represent`);
      }
      if (Number.isInteger(one) && !Number.isSafeInteger(one)) {
        throw new UsageError(
          `Variable ${name} has a whole number beyond 2^53, where JSON loses digits: write it as text`,
        );
      }
    }
    level = level.flatMap((one) =>
      typeof one === "object" && one !== null ? Object.values(one) : []
    );
  }
}

function convertText(name: string, text: string, type: string): unknown {
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
    refuseUnusable(name, value);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    // A variable without a fixed type takes any text.
    if (type === "dyn") return text;
  }
  if (hasType(value, type)) return value;
  throw wrong(
    `${describeType(type)} as JSON${
      type.startsWith("list") ? ", with items of the same type" : ""
    }`,
  );
}
