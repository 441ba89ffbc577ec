import type { Mutant } from "../mutants.ts";

function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits, isRunner: true };
}

/** Mutants of the runner that recipes must find. */
export const RUNNER_MUTANTS: readonly Mutant[] = [
  mutant(
    "`retry` repeats a write that may have arrived",
    "runner/engine/retry.ts",
    ["(hasWritten && !retry!.repeatWrites)", "false"],
  ),
  mutant(
    "a write without an answer counts as not arrived",
    "runner/engine/attempt.ts",
    [`return delivery === "unknown";`, "return false;"],
  ),
  mutant(
    "`retry` gives up after a write that did not arrive",
    "runner/engine/attempt.ts",
    ["if (mayHaveArrived(error, context.signal)) scope.onWrite();", "scope.onWrite();"],
  ),
  mutant(
    "the wait of a recipe passes on `failed`",
    "runner/steps/_wait_goal.ts",
    [
      "reached: this.#states().includes(state)",
      `reached: state === "failed" || this.#states().includes(state)`,
    ],
  ),
  mutant(
    "a wait goes on after a final state",
    "runner/steps/_wait_entity.ts",
    ["if (hasEnded || step.fail_on", "if (step.fail_on"],
  ),
  mutant(
    "`fail_on` is ignored",
    "runner/steps/_wait_entity.ts",
    ["step.fail_on?.some(({ state }) => state === last!.state)", "last.state === ''"],
  ),
  mutant(
    "a wait for a list waits for its first item only",
    "runner/steps/_wait_list.ts",
    ["states.push(observed.states.at(-1)!);", "states.push(observed.states.at(-1)!); break;"],
  ),
  mutant(
    "`always` does not run after an interruption",
    "runner/engine/case.ts",
    [
      "    await this.#runAlways();",
      "    if (!this.#options.signal.aborted) await this.#runAlways();",
    ],
  ),
  mutant(
    "`always` does not run after a failure",
    "runner/engine/case.ts",
    ["    await this.#runAlways();", "    if (!verdict.failed) await this.#runAlways();"],
  ),
  mutant(
    "a failure in `always` ends it",
    "runner/engine/case.ts",
    [
      "for (const step of this.#recipe.always) await this.#runStep(step, scope);",
      "for (const step of this.#recipe.always) {\n      await this.#runStep(step, scope);\n      if (this.#state.verdict.failed) break;\n    }",
    ],
  ),
  mutant(
    "an interruption ends `always`, too",
    "runner/engine/case.ts",
    [
      '      new AbortController().signal,\n      "the time of `always`",',
      '      this.#options.signal,\n      "the time of `always`",',
    ],
  ),
  mutant(
    "a later failure decides the outcome",
    "runner/engine/verdict.ts",
    ["    if (this.failed) return;\n", ""],
  ),
  mutant(
    "a refusal counts as a verdict",
    "runner/events/failure.ts",
    [`return kind !== "server" && `, "return "],
  ),
  mutant(
    "a soft failure fails the recipe",
    "runner/engine/step_report.ts",
    ["return this.#isSoft && status", "return !this.#isSoft && status"],
  ),
  mutant(
    "a recipe goes on after a failure",
    "runner/engine/case.ts",
    [
      `if (verdict.failed) skipStep(step, scope, "not reached");`,
      "if (verdict.checks < 0) return;",
    ],
  ),
  mutant(
    "`set` changes nothing",
    "runner/steps/set.ts",
    ["for (const [name, value] of values) context.setVariable(name, value);", "void values;"],
  ),
  mutant(
    "a recipe that checked nothing passes",
    "runner/engine/verdict.ts",
    [`this.checks === 0 ? "unchecked" : "passed"`, `"passed"`],
  ),
  mutant(
    "the mask leaves out secrets of several lines",
    "runner/engine/mask.ts",
    ["if (!canBeMasked(secret) ||", `if (!canBeMasked(secret) || secret.includes("\\n") ||`],
  ),
  mutant(
    "the mask leaves out labels",
    "runner/engine/mask_event.ts",
    [`"kind", "line",`, `"kind", "label", "line",`],
  ),
  mutant(
    "the mask leaves out what a recipe logs",
    "runner/engine/mask_event.ts",
    [`"kind", "line",`, `"kind", "text", "line",`],
  ),
  mutant(
    "the second secret is not masked",
    "runner/engine/initial_scope.ts",
    ["    mask.add(value);", "    if (Object.keys(secrets).length === 0) mask.add(value);"],
  ),
  mutant(
    "JUnit does not escape `<`",
    "runner/report/junit/junit.ts",
    ["text.replace(/[&<>]/g,", "text.replace(/[&>]/g,"],
  ),
  mutant(
    "the time of a step leaves its timer",
    "runner/events/deadline.ts",
    ["if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);", ""],
  ),
  mutant(
    "a script whose time is over forgets why a step failed",
    "runner/engine/script_host.ts",
    [
      "      // The steps that its end has stopped know more about why.\n      if (deadline.signal.aborted) await run.settle();\n",
      "",
    ],
  ),
];
