import type { PlannedCase } from "../engine/run.ts";
import type { Recipe, Step } from "../language/model.ts";
import { idsOf } from "../recipe/step_ids.ts";
import { suggest } from "../language/suggest.ts";
import type { OptionSpecs, ParsedArgs } from "./args.ts";
import { namesIn } from "./step_needs.ts";
import { UsageError } from "./usage_error.ts";

/** Options that choose recipes. */
export const SELECT_OPTIONS: OptionSpecs = {
  tag: { value: "TAG", repeat: true, description: "Only recipes with this tag; !TAG without it." },
  grep: {
    value: "TEXT",
    description: "Only recipes whose name holds a text, or matches /a regex/.",
  },
};

/** Options that choose steps. */
export const STEP_SELECT_OPTIONS: OptionSpecs = {
  only: { value: "STEP", repeat: true, description: "Only this step: its id or number." },
  from: { value: "STEP", description: "Only this step and those after it." },
};

/** The recipes that the options choose. */
export function selectRecipes(recipes: readonly Recipe[], args: ParsedArgs): Recipe[] {
  const tags = args.lists.tag ?? [];
  const wanted = tags.filter((tag) => !tag.startsWith("!"));
  const unwanted = tags.filter((tag) => tag.startsWith("!")).map((tag) => tag.slice(1));
  const matches = nameFilter(args.values.grep);
  return recipes.filter((recipe) =>
    (wanted.length === 0 || wanted.some((tag) => recipe.tags.includes(tag))) &&
    !unwanted.some((tag) => recipe.tags.includes(tag)) && matches(recipe.name)
  );
}

function nameFilter(grep: string | undefined): (name: string) => boolean {
  if (grep === undefined) return () => true;
  const pattern = /^\/(.*)\/(i?)$/.exec(grep);
  if (!pattern) return (name) => name.includes(grep);
  try {
    const regex = new RegExp(pattern[1]!, pattern[2]);
    return (name) => regex.test(name);
  } catch (cause) {
    throw new UsageError(`--grep ${grep} is no regular expression: ${(cause as Error).message}`);
  }
}

/**
 * Which steps the options choose; all without them.
 * @throws {UsageError} When a step that is named is in none of the recipes.
 */
export function stepFilter(
  recipes: readonly Recipe[],
  args: ParsedArgs,
): ((step: Step) => boolean) | undefined {
  const only = args.lists.only ?? [];
  const { from } = args.values;
  if (only.length === 0 && from === undefined) return undefined;
  const names = new Set(
    recipes.flatMap(({ steps }) => steps.flatMap(({ id, number }) => id ? [id, number] : [number])),
  );
  for (const name of [...only, ...(from === undefined ? [] : [from])]) {
    if (names.has(name)) continue;
    const outer = recipes.flatMap(({ steps }) => steps).find((step) => holds(step, name));
    if (outer) {
      throw new UsageError(`Step ${name} stands inside step ${outer.number}: choose that one`);
    }
    const meant = suggest(name, names);
    throw new UsageError(`No step ${name}${meant ? `; did you mean \`${meant}\`?` : ""}`);
  }
  const first = new Map(
    recipes.map((recipe) => [recipe, recipe.steps.findIndex((step) => isNamed(step, from))]),
  );
  const chosen = (step: Step) => {
    if (only.some((name) => isNamed(step, name))) return true;
    if (from === undefined) return false;
    const recipe = recipes.find(({ steps }) => steps.includes(step));
    const start = recipe ? first.get(recipe)! : -1;
    return start !== -1 && recipe!.steps.indexOf(step) >= start;
  };
  for (const recipe of recipes) checkNeeds(recipe, chosen);
  return chosen;
}

/** What a chosen step needs must have been left by another chosen one. */
function checkNeeds({ steps }: Recipe, chosen: (step: Step) => boolean): void {
  const left = new Map<string, Step>();
  for (const step of steps.filter((step) => !chosen(step))) {
    for (const id of idsOf([step])) left.set(id, step);
  }
  for (const step of steps.filter(chosen)) {
    for (const name of namesIn(step)) {
      const other = left.get(name);
      if (!other || idsOf([step]).includes(name)) continue;
      throw new UsageError(
        `Step ${step.number} needs what \`${name}\` leaves: choose step ${other.number} as well`,
      );
    }
  }
}

function holds({ fields }: Step, name: string): boolean {
  const inner: Step[] = Array.isArray(fields.parallel) ? fields.parallel : [];
  return inner.some((step) => isNamed(step, name) || holds(step, name));
}

function isNamed({ id, number }: Step, name: string | undefined): boolean {
  return name !== undefined && (id === name || number === name);
}

/**
 * The cases of one shard out of several.
 * @throws {UsageError} When the option is not `i/n`.
 */
export function shard<C extends PlannedCase>(cases: C[], option: string | undefined): C[] {
  if (option === undefined) return cases;
  const match = /^(\d+)\/(\d+)$/.exec(option);
  const [i, n] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || i < 1 || n < 1 || i > n) {
    throw new UsageError(`--shard takes i/n, such as 1/3, not '${option}'`);
  }
  return cases.filter((_, at) => at % n === i - 1);
}
