import type { CaseScope } from "../engine/case_scope.ts";
import type { ScriptRun } from "../engine/script_run.ts";
import type { Deadline } from "../events/deadline.ts";
import type { ScriptBody } from "../language/model.ts";
import type { RecipeBody } from "./recipe.ts";
import { RunningScript } from "./running_script.ts";
import { ScriptSteps } from "./script_steps.ts";

/** Prepares to run the function of a recipe in TypeScript, for the engine. */
export function openScript(body: ScriptBody, scope: CaseScope, deadline: Deadline): ScriptRun {
  const steps = new ScriptSteps(scope, deadline);
  const script = new RunningScript(scope, steps);
  return {
    get pending() {
      return steps.pending;
    },
    get cleanUps() {
      return script.cleanUps;
    },
    run: async () => await (body as RecipeBody)(script),
    settle: () => steps.settle(),
    cleanUp: (cleanUp, deadline) => steps.cleanUp(cleanUp, deadline),
    end: () => steps.end(),
  };
}
