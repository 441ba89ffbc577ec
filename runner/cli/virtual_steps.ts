import type { Diagnostic } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import { withUsed } from "../recipe/used_recipes.ts";
import { kindOf, withNested } from "../steps/step_kinds.ts";

/** Finds the steps of recipes, and of those they use, that cannot run in real time. */
export function findVirtualSteps(recipes: readonly Recipe[]): Diagnostic[] {
  return [...withUsed(recipes)].flatMap(({ source, steps, always }) =>
    withNested([...steps, ...always])
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
