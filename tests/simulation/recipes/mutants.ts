import type { Mutant } from "../mutants.ts";
import { DETAIL_MUTANTS } from "./mutants_of_details.ts";
import { LANGUAGE_MUTANTS } from "./mutants_of_language.ts";
import { RUN_MUTANTS } from "./mutants_of_runs.ts";
import { STEP_MUTANTS } from "./mutants_of_steps.ts";

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
      "for (const step of always) await this.#runStep(step, scope);",
      "for (const step of always) {\n      await this.#runStep(step, scope);\n      if (this.#state.verdict.failed) break;\n    }",
    ],
  ),
  mutant(
    "an interruption ends `always`, too",
    "runner/engine/case.ts",
    [
      "this.#cleanUpBudget.around(this.#outer?.caller.deadline),",
      "this.#options.signal,",
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
    "a wait on a channel counts an event twice",
    "runner/steps/_wait_channel.ts",
    [
      "if (matchesEvent(step.where, event, context)) matched.push(event);",
      "if (matchesEvent(step.where, event, context)) matched.push(event, event);",
    ],
  ),
  mutant(
    "a wait on a channel ignores events from before the step",
    "runner/steps/_wait_channel.ts",
    ["let looked = 0;", "let looked = log.dropped + log.events.length;"],
  ),
  mutant(
    "a wait on a channel ignores `where`",
    "runner/steps/_wait_channel.ts",
    [
      "if (matchesEvent(step.where, event, context))",
      "if (matchesEvent(undefined, event, context))",
    ],
  ),
  mutant(
    "a wait on a channel ends one event early",
    "runner/steps/_wait_channel.ts",
    ["if (matched.length >= count) {", "if (matched.length >= Math.max(1, count - 1)) {"],
  ),
  mutant(
    "an event without the field of `where` counts",
    "runner/steps/_channel_events.ts",
    [
      `if (cause?.code === "no_such_key") return false;`,
      `if (cause?.code === "no_such_key") return true;`,
    ],
  ),
  mutant(
    "a narrower channel has all events of the wider one",
    "runner/engine/channel_log.ts",
    [
      "if (matchesChannel(channel, event as DispatchEvent)) log.add(event);\n    }\n    this.#wake",
      "if (channel) log.add(event);\n    }\n    this.#wake",
    ],
  ),
  mutant(
    "a narrower channel forgets earlier events",
    "runner/engine/channel_log.ts",
    ["for (const event of this.events) {", "for (const event of this.events.slice(0, 0)) {"],
  ),
  mutant(
    "channels are first listened to when a step needs them",
    "runner/engine/case.ts",
    [
      "await channels.begin(this.#recipe.channels, resolve, deadline.signal);",
      "await channels.begin([], resolve, deadline.signal);",
    ],
  ),
  mutant(
    "a wait on a channel checks nothing",
    "runner/steps/wait.ts",
    [
      "      context.countCheck();\n      return await waitOnChannel",
      "      return await waitOnChannel",
    ],
  ),
  mutant(
    "`retry` makes one attempt more",
    "runner/engine/retry.ts",
    ["attempt < attempts &&", "attempt <= attempts && retry &&"],
  ),
  mutant(
    "`only_if` of a retry is ignored",
    "runner/engine/retry.ts",
    [
      "return onlyIf.evaluate(values, ambient) === true;",
      "onlyIf.evaluate(values, ambient); return true;",
    ],
  ),
  mutant(
    "a step that passed after a retry is not flaky",
    "runner/engine/retry.ts",
    [
      "if (attempt > 1) owner.verdict.flaky = true;",
      "if (attempt > 2) owner.verdict.flaky = true;",
    ],
  ),
  mutant(
    "`for_each` leaves out its last item",
    "runner/engine/for_each.ts",
    ["next < list.length &&", "next < Math.max(1, list.length - 1) &&"],
  ),
  mutant(
    "`for_each` goes on after a failure",
    "runner/engine/for_each.ts",
    ["next < list.length && !failure", "next < list.length"],
  ),
  mutant(
    "`parallel` passes if only one step has failed",
    "runner/engine/run_step.ts",
    ["const [first] = failed;", "const [, first] = failed;"],
  ),
  mutant(
    "the result of a job is that of the first item",
    "runner/engine/for_each.ts",
    ["({ entity }) => entity ?? []", "() => ended[0]?.entity ?? []"],
  ),
  mutant(
    "an `if` that is false does not skip its step",
    "runner/engine/run_step.ts",
    ["if (!holds(step.if, scope)) {", "if (!holds(step.if, scope) && step.soft) {"],
  ),
  mutant(
    "a connection failure counts as a failed recipe",
    "runner/engine/verdict.ts",
    ["errored > 0) return EXIT_CODES.errored;", "errored > 0) return EXIT_CODES.failed;"],
  ),
  mutant(
    "a refused request is repeated by `retry` although the recipe was interrupted",
    "runner/engine/retry.ts",
    ["if (deadline.signal.aborted) return false;", "if (deadline.passed) return false;"],
  ),
  mutant(
    "an interrupted step can be soft",
    "runner/engine/step_report.ts",
    [`this.#isSoft && status !== "interrupted"`, "this.#isSoft"],
  ),
  mutant(
    "the failure of an `expect` is ignored",
    "runner/engine/attempt.ts",
    ["if (step.expect) await assertAll(", "if (step.expect && step.soft) await assertAll("],
  ),
  mutant(
    "the mask leaves out the lines of a failure",
    "runner/engine/mask_event.ts",
    [`"kind", "line",`, `"kind", "lines", "line",`],
  ),
  mutant(
    "the checks of a used recipe do not count",
    "runner/engine/case.ts",
    ["    this.#state.verdict.include(nested.#state.verdict);\n", ""],
  ),
  mutant(
    "a channel that was asked for is left open at the end",
    "runner/engine/case_state.ts",
    ["    await this.channels.close();\n", ""],
  ),
  mutant(
    "the duration of a step is negative",
    "runner/engine/step_report.ts",
    [
      `this.#finished("passed", this.elapsed, attempts,`,
      `this.#finished("passed", -this.elapsed - 1, attempts,`,
    ],
  ),
  mutant(
    "a case sees the first values of its matrix",
    "runner/engine/run_case.ts",
    ["vars, matrix, random, attempt", "vars, matrix: recipe.matrix[0], random, attempt"],
  ),
  mutant(
    "one case too many runs at a time",
    "runner/engine/run.ts",
    [
      "Math.min(options.parallel ?? 1, cases.length)",
      "Math.min((options.parallel ?? 1) + 1, cases.length)",
    ],
  ),
  mutant(
    "`--bail` goes on after a case that could not be run",
    "runner/engine/run.ts",
    [`options.bail && result.status !== "passed"`, `options.bail && result.status === "failed"`],
  ),
  mutant(
    "cases are started after an interruption",
    "runner/engine/run.ts",
    ["!bailed && !signal.aborted) {", "!bailed) {"],
  ),
  ...DETAIL_MUTANTS,
  ...LANGUAGE_MUTANTS,
  ...RUN_MUTANTS,
  ...STEP_MUTANTS,
];
