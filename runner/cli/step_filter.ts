import { freeNames } from "../expression/ast.ts";
import { Expression } from "../expression/expression.ts";
import type { Recipe, Step } from "../language/model.ts";
import { suggest } from "../../runtime/suggest.ts";
import { idsOf, nestedSteps } from "../steps/step_kinds.ts";
import { type OptionSpecs, type ParsedArgs, UsageError } from "./args.ts";

/** The options that filter steps. */
export const STEP_FILTER_OPTIONS: OptionSpecs = {
  only: { value: "STEP", repeat: true, description: "Run only this step (its id or number)." },
  from: { value: "STEP", description: "Start at this step (its id or number)." },
};

/**
 * Creates the filter for `--only` and `--from`; `undefined` without them.
 * @throws {UsageError} For a step that no recipe has, and for a step that needs the result of one
 * that is filtered out.
 */
export function stepFilter(
  recipes: readonly Recipe[],
  args: ParsedArgs,
): ((step: Step) => boolean) | undefined {
  const only = args.lists.only ?? [];
  const { from } = args.values;
  if (only.length === 0 && from === undefined) return undefined;
  for (const name of [...only, ...(from === undefined ? [] : [from])]) checkExists(name, recipes);
  const firstSteps = new Map(
    recipes.map((recipe) => [recipe, recipe.steps.findIndex((step) => isNamed(step, from))]),
  );
  const filter = (step: Step) => {
    if (only.some((name) => isNamed(step, name))) return true;
    if (from === undefined) return false;
    const recipe = recipes.find(({ steps }) => steps.includes(step));
    const first = recipe ? firstSteps.get(recipe)! : -1;
    return first !== -1 && recipe!.steps.indexOf(step) >= first;
  };
  for (const recipe of recipes) checkDependencies(recipe, filter);
  return filter;
}

function checkExists(name: string, recipes: readonly Recipe[]): void {
  const steps = recipes.flatMap((recipe) => recipe.steps);
  if (steps.some((step) => isNamed(step, name))) return;
  const outer = steps.find((step) => contains(step, name));
  if (outer) {
    throw new UsageError(`Step ${name} is inside step ${outer.number}; select that one`);
  }
  const names = steps.flatMap(({ id, number }) => id ? [id, number] : [number]);
  const suggestion = suggest(name, names);
  throw new UsageError(`No step ${name}${suggestion ? `; did you mean \`${suggestion}\`?` : ""}`);
}

function checkDependencies({ steps }: Recipe, filter: (step: Step) => boolean): void {
  const excluded = new Map<string, Step>();
  for (const step of steps.filter((step) => !filter(step))) {
    for (const id of idsOf([step])) excluded.set(id, step);
  }
  for (const step of steps.filter(filter)) {
    for (const name of namesIn(step)) {
      const other = excluded.get(name);
      if (!other || idsOf([step]).includes(name)) continue;
      throw new UsageError(
        `Step ${step.number} needs the result \`${name}\`; select step ${other.number} as well`,
      );
    }
  }
}

/** Whether a step with this id or number is nested in another. */
function contains(outer: Step, name: string): boolean {
  return nestedSteps(outer).some((step) => isNamed(step, name) || contains(step, name));
}

function isNamed({ id, number }: Step, name: string | undefined): boolean {
  return name !== undefined && (id === name || number === name);
}

/** The names that a step looks up, which can be ids of earlier steps. */
function namesIn(step: Step): Set<string> {
  const names = new Set<string>();
  const { kind: _, ...rest } = step;
  collectNames(rest, names);
  return names;
}

function collectNames(value: unknown, names: Set<string>): void {
  if (value instanceof Expression) {
    for (const { name } of freeNames(value.ast)) names.add(name);
  } else if (value instanceof Map) {
    for (const item of value.values()) collectNames(item, names);
  } else if (Array.isArray(value)) {
    for (const item of value) collectNames(item, names);
  } else if (typeof value === "object" && value !== null) {
    const { step, recipe: _, ...rest } = value as { step?: unknown; recipe?: unknown };
    if (typeof step === "string") names.add(step);
    else collectNames(step, names);
    for (const item of Object.values(rest)) collectNames(item, names);
  }
}
