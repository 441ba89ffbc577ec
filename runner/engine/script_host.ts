import { abortable } from "../../runtime/abortable.ts";
import { Deadline, InterruptedError, limitBy } from "../events/deadline.ts";
import { StepFailure, toError } from "../events/failure.ts";
import type { ScriptBody } from "../language/model.ts";
import { templateLabel } from "../steps/kind.ts";
import { kindOf } from "../steps/step_kinds.ts";
import type { CaseScope } from "./scopes.ts";
import { describeError, placeOf, spanInModule } from "./describe_error.ts";
import type { OpenScript, ScriptRun } from "./script_run.ts";
import type { Activity } from "./virtual_time.ts";

/** Runs the function of a TypeScript recipe and its clean-up functions. */
export class ScriptHost {
  #scope: CaseScope;
  #open: OpenScript;
  #run: ScriptRun | undefined;

  /** Prepares to run a recipe's function in a case. */
  constructor(scope: CaseScope, open: OpenScript) {
    this.#scope = scope;
    this.#open = open;
  }

  /** Runs the recipe's function until it returns, throws, or its time is over. */
  async runBody(body: ScriptBody, deadline: Deadline): Promise<void> {
    const { clock, recipe, verdict, virtual } = this.#scope;
    const ending = new AbortController();
    const signal = AbortSignal.any([deadline.signal, ending.signal]);
    using stepDeadline = new Deadline(clock, deadline.at, limitBy(deadline, signal));
    using activity = virtual?.begin();
    const run = this.#run = await this.#open(body, this.#scope, stepDeadline, activity);
    try {
      // A function that awaits anything but a step would not notice that its time is over.
      await abortable(run.run(), deadline.signal);
      this.#warnAboutPending(run);
    } catch (error) {
      // The steps that its end has stopped know more about why.
      if (deadline.signal.aborted) await run.settle();
      const cause = deadline.passed
        ? new StepFailure("deadline", "the recipe was not done when its time was over")
        : toError(error);
      verdict.fail(describeError(cause, recipe.source, spanInModule(error, recipe)));
      ending.abort(new StepFailure("interrupted", "the recipe has already failed"));
    }
    await settled(run, activity);
    ending.abort(new InterruptedError("the recipe's end"));
  }

  /** Runs the functions passed to `t.always`, the last one first. */
  async runCleanUps(deadline: Deadline): Promise<void> {
    const { recipe, verdict, virtual } = this.#scope;
    const run = this.#run;
    if (!run) return;
    using activity = virtual?.begin();
    for (const cleanUp of run.cleanUps) {
      try {
        await abortable(run.cleanUp(cleanUp, deadline, activity), deadline.signal);
      } catch (cause) {
        if (deadline.signal.aborted) await run.settle();
        const error = toError(cause);
        const span = spanInModule(error, recipe);
        if (verdict.failed) this.#scope.warn(`clean-up failed: ${error.message}`);
        else verdict.fail(describeError(error, recipe.source, span));
      }
    }
    await settled(run, activity);
  }

  /** Ends the run. Steps that the recipe starts later do nothing. */
  end(): void {
    this.#run?.end();
  }

  #warnAboutPending({ pending }: ScriptRun): void {
    for (const step of pending) {
      const { file, line } = placeOf(this.#scope.recipe.source, step.span);
      const label = step.name ? templateLabel(step.name) : kindOf(step).label(step.fields);
      this.#scope.warn(`\`${label}\` is not awaited (${file}:${line})`);
    }
  }
}

/** Waits for the steps that the recipe does not await. */
async function settled(run: ScriptRun, activity: Activity | undefined): Promise<void> {
  await (activity?.during(run.settle()) ?? run.settle());
}
