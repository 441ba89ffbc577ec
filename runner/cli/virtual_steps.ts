import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe, Step } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { kindOf, nestedSteps } from "../steps/step_kinds.ts";

/** Finds the steps of recipes, and of those they use, that cannot run in real time. */
export function findVirtualSteps(recipes: readonly Recipe[]): Diagnostic[] {
  return [...withUsed(recipes)].flatMap(({ source, steps, always }) =>
    [...steps, ...always].flatMap(withNested)
      .filter((step) => kindOf(step).needsVirtualTime)
      .map(({ kind, span }): Diagnostic => ({
        code: "virtual-time",
        severity: "error",
        message: `\`${kind}\` needs virtual time`,
        source,
        span,
        label: "run it with `--clock virtual`",
      }))
  );
}

function withNested(step: Step): Step[] {
  return [step, ...nestedSteps(step).flatMap(withNested)];
}
