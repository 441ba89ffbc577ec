import type { Mutant } from "../mutants.ts";

function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits, isRunner: true };
}

/** Mutants of what steps inside others do, of assertions, of values and of scripts. */
export const LANGUAGE_MUTANTS: readonly Mutant[] = [
  mutant("the writes inside a `parallel` do not forbid its retry", "runner/engine/attempt.ts", [
    "      hasWritten = true;\n      scope.onWrite();",
    "      hasWritten = true;",
  ]),
  mutant("the writes of a used recipe do not forbid its retry", "runner/engine/case.ts", [
    "this.#outer?.caller.onWrite ?? (() => {})",
    "(() => {})",
  ]),
  mutant("a step with others inside is never retried", "runner/engine/retry.ts", [
    "const wanted = !final &&",
    `const wanted = !final && step.kind !== "parallel" && step.kind !== "use" &&`,
  ]),
  mutant(
    "a write inside a `parallel` that failed for certain forbids its retry",
    "runner/engine/attempt.ts",
    [
      "if (mayHaveArrived(error, context.signal)) scope.onWrite();",
      `if (mayHaveArrived(error, context.signal) || step.number.includes(".")) scope.onWrite();`,
    ],
  ),
  mutant("every failure inside a `parallel` counts as an assertion", "runner/engine/run_step.ts", [
    "throw new StepFailure(first.kind, message);",
    `throw new StepFailure("assertion", message);`,
  ]),
  mutant("only the first condition of an `assert` is evaluated", "runner/steps/assertions.ts", [
    "for (const condition of conditions) {",
    "for (const condition of conditions.slice(0, 1)) {",
  ]),
  mutant("only the first line of an `expect` is evaluated", "runner/steps/assertions.ts", [
    "for (const expectation of expectations) {",
    "for (const expectation of expectations.slice(0, 1)) {",
  ]),
  mutant("an `assert` with conditions ignores its `expect`", "runner/steps/assertions.ts", [
    "for (const expectation of expectations) {",
    "for (const expectation of conditions.length > 0 ? [] : expectations) {",
  ]),
  mutant("a condition without a value holds", "runner/steps/assertions.ts", [
    "    problem = error.message;\n",
    "    return undefined;\n",
  ]),
  mutant("only the first matcher of a line is evaluated", "runner/steps/assertions.ts", [
    "return matchers.flatMap((",
    "return matchers.slice(0, 1).flatMap((",
  ]),
  mutant("an absent value satisfies `not`", "runner/expression/matcher.ts", [
    "if (value === undefined) return [",
    `if (value === undefined && name === "not") return undefined;\n  if (value === undefined) return [`,
  ]),
  mutant("`gte` is `gt`", "runner/expression/matcher.ts", [
    "(value as number) >= (argument as number)",
    "(value as number) > (argument as number)",
  ]),
  mutant("`lt` is `lte`", "runner/expression/matcher.ts", [
    "(value as number) < (argument as number)",
    "(value as number) <= (argument as number)",
  ]),
  mutant("one matcher of a `length` is enough", "runner/expression/matcher.ts", [
    ".every((m) => satisfies(length, m))",
    ".some((m) => satisfies(length, m))",
  ]),
  mutant("every text satisfies `matches`", "runner/expression/matcher.ts", [
    `typeof value === "string" && patterns().matchesPattern(argument as string, value)`,
    `typeof value === "string"`,
  ]),
  mutant("every type is the right one", "runner/expression/matcher.ts", [
    "return typeName(value) === argument;",
    "return argument !== undefined;",
  ]),
  mutant("`contains` of a map asks for its keys only", "runner/expression/matcher.ts", [
    "Object.hasOwn(value, key) && equal(item, (value as Record<string, unknown>)[key])",
    "Object.hasOwn(value, key)",
  ]),
  mutant("`exists: false` is satisfied by anything", "runner/expression/matcher.ts", [
    "if ((value !== undefined) === argument) return undefined;",
    "if (!argument || value !== undefined) return undefined;",
  ]),
  mutant("equal values can have other types", "runner/expression/diff.ts", [
    "Object.is(expected, actual) || expected === actual) return;",
    "Object.is(expected, actual) || String(expected) === String(actual)) return;",
  ]),
  mutant("a value of only one expression becomes text", "runner/expression/template.ts", [
    "return template.expression.evaluate(values, ambient);",
    "{ const it = template.expression.evaluate(values, ambient); return typeof it === 'number' ? String(it) : it; }",
  ]),
  mutant("expressions inside lists are left out", "runner/expression/template.ts", [
    "return template.items.map((item) => resolveTemplate(item, values, ambient));",
    "return template.items.map((item) => item.kind === 'literal' ? item.value : null);",
  ]),
  mutant("`$${{` stays as it is written", "runner/expression/template.ts", [
    `current += "\${{";`,
    `current += "$\${{";`,
  ]),
  mutant("`t.expect(…).not` is ignored", "runner/script/matchers.ts", [
    "if (holds !== this.#negated && needs === undefined)",
    "if (holds && needs === undefined)",
  ]),
  mutant("`toContain` of a text always holds", "runner/script/matchers.ts", [
    "areTexts ? { what, holds: value.includes(part) }",
    "areTexts ? { what, holds: true }",
  ]),
  mutant("`toMatchObject` asks for keys only", "runner/script/matchers.ts", [
    "holds: equal(part, actual),",
    "holds: keys.length === Object.keys(part).length,",
  ]),
  mutant("a check that failed in a script does not stop it", "runner/script/script_steps.ts", [
    "    if (failure) throw this.#fail(failure);",
    "    if (failure) this.#fail(failure);",
  ]),
  mutant("a failure that a script catches is forgotten", "runner/script/script_steps.ts", [
    "    this.#case.verdict.fail(failure);\n",
    "",
  ]),
  mutant("a `call` is never a write", "runner/steps/call.ts", [
    `writes: ({ call }) => !(scopeOf(call)?.endsWith(":read") ?? false),`,
    "writes: ({ call }) => scopeOf(call) === undefined,",
  ]),
  mutant("a `call` that only reads counts as a write", "runner/steps/call.ts", [
    `writes: ({ call }) => !(scopeOf(call)?.endsWith(":read") ?? false),`,
    "writes: true,",
  ]),
  mutant("events that a `call` has published are forgotten", "runner/steps/call.ts", [
    `if (step.call === "workflow.event") {`,
    `if (step.call === "workflow.events") {`,
  ]),
  mutant("only the first state of `until` ends a wait", "runner/steps/_wait_goal.ts", [
    "until.states.map(({ state }) => state) : DEFAULT_STATES",
    "until.states.slice(0, 1).map(({ state }) => state) : DEFAULT_STATES",
  ]),
  mutant("any checkpoint ends a wait for one", "runner/steps/_wait_goal.ts", [
    "timeline.some(({ step_name }) => step_name === this.checkpoint)",
    "timeline.length > 0",
  ]),
  mutant("a wait without events reads once", "runner/steps/_poll.ts", [
    "      }, this.#pause);",
    "      }, this.#hasEvent ? this.#pause : 3_600_000);",
  ]),
  mutant("`always` runs a step about another that did not run", "runner/engine/run_step.ts", [
    "if (!step.if) return undefined;",
    `if (!step.if || step.phase === "always") return undefined;`,
  ]),
  mutant("a used recipe that was stopped does not clean up", "runner/engine/case.ts", [
    "    await this.#runAlways();",
    "    if (!this.#outer || !this.#options.signal.aborted) await this.#runAlways();",
  ]),
  mutant(
    "a used recipe has time of its own to clean up after an interruption",
    "runner/engine/cleanup_budget.ts",
    [
      "outer?.deadline() ?? momentIn",
      "momentIn",
    ],
  ),
  mutant("`parallel` in `always` does not run after a failure", "runner/engine/case.ts", [
    "for (const step of always) await this.#runStep(step, scope);",
    `for (const step of always) if (step.kind !== "parallel" || !this.#state.verdict.failed) await this.#runStep(step, scope);`,
  ]),
  mutant("every item of a `for_each` is the first one", "runner/engine/for_each.ts", [
    "locals: { item: toCel(list[i]) }",
    "locals: { item: toCel(list[0]) }",
  ]),
  mutant("the time of a recipe begins with the run", "runner/engine/case.ts", [
    "      began + limit,\n",
    "      (this.#options.index > 0 ? began - 500 : began) + limit,\n",
  ]),
  mutant("the mask leaves out base64", "runner/engine/mask.ts", [
    "decodeRuns(view, shortest)",
    "decodeRuns(view, shortest * 99)",
  ]),
  mutant("the mask leaves out escapes", "runner/engine/mask.ts", [
    "if (decoded) read(",
    "if (decoded && depth < 0) read(",
  ]),
  mutant("a step says that another job was created", "runner/steps/enqueue.ts", [
    "return { result, detail: job.job_id };",
    "return { result, detail: context.results.entities()[0]?.id ?? job.job_id };",
  ]),
  mutant("a job's result has no payload", "runner/events/results.ts", [
    "    payload: job.payload,\n",
    "",
  ]),
  mutant("a run's result has the name of its id", "runner/events/results.ts", [
    "    run_id: run.id,\n    name: run.name,",
    "    run_id: run.id,\n    name: run.id,",
  ]),
  mutant("`--last-failed` leaves out cases that could not be run", "runner/cli/last_failed.ts", [
    `return !last || last.status !== "passed";`,
    `return !last || last.status === "failed";`,
  ]),
  mutant(
    "`--last-failed` leaves out cases that the history does not know",
    "runner/cli/last_failed.ts",
    [
      `return !last || last.status !== "passed";`,
      `return last !== undefined && last.status !== "passed";`,
    ],
  ),
  mutant("a history keeps the steps of earlier attempts", "runner/history/recorder.ts", [
    "{ ...known, steps: [] });",
    "{ ...known, steps: this.#cases.get(event.case)?.steps ?? [] });",
  ]),
  mutant("JUnit does not say why a case failed", "runner/report/junit/junit.ts", [
    `return [element("failure", { message, type }, lines)];`,
    `return [element("failure", { type }, lines.slice(0, 0))];`,
  ]),
  mutant("a step is reported at the beginning of its file", "runner/engine/step_report.ts", [
    "placeOf(scope.case.recipe.source, step.span)",
    "placeOf(scope.case.recipe.source, { start: 0, end: 1 })",
  ]),
  mutant("the other steps of a script go on after one has failed", "runner/engine/script_host.ts", [
    `      ending.abort(new StepFailure("interrupted", "the recipe has already failed"));\n`,
    "",
  ]),
  mutant("an interruption ends the recipes that `always` uses", "runner/engine/case.ts", [
    "signal: caller.deadline.signal, vars: {}",
    "signal: this.#options.signal, vars: {}",
  ]),
  mutant("a condition over a field that is absent is met", "runner/steps/_wait_goal.ts", [
    "return { reached: false, missing: error };",
    "return { reached: true, missing: error };",
  ]),
  mutant("the `expect` of a wait is ignored", "runner/engine/attempt.ts", [
    "if (step.expect) await",
    `if (step.expect && step.kind !== "wait") await`,
  ]),
  mutant("every attempt that is followed by another one is the first", "runner/engine/retry.ts", [
    "report.retried(attempt, failure);",
    "report.retried(1, failure);",
  ]),
  mutant(
    "a wait tells only the last checkpoint that it has seen",
    "runner/steps/_wait_history.ts",
    [
      "timeline: [...this.#checkpoints].map(",
      "timeline: [...this.#checkpoints].slice(-1).map(",
    ],
  ),
];
