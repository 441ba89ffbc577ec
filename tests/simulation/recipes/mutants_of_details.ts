import type { Mutant } from "../mutants.ts";

function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits, isRunner: true };
}

/** Mutants of values that expressions do not have, of secrets, of scripts, and of what documents tell. */
export const DETAIL_MUTANTS: readonly Mutant[] = [
  mutant("a `for_each` that failed leaves no results", "runner/engine/for_each.ts", [
    "  if (step.id !== undefined) {\n    const ended",
    "  if (step.id !== undefined && !failure) {\n    const ended",
  ]),
  mutant(
    "Markdown does not show the warnings of earlier attempts",
    "runner/report/markdown/markdown.ts",
    [
      "      [...summary.retries ?? [], summary].flatMap(({ warnings }) => warnings)\n        .map((text) => `- ${codeSpan(summary.name)}",
      "      [summary].flatMap(({ warnings }) => warnings)\n        .map((text) => `- ${codeSpan(summary.name)}",
    ],
  ),
  mutant("an output without a value is left out", "runner/engine/case.ts", [
    "          throw new StepFailure(kind, text, { span, source, cause });\n",
    "          void [kind, text, span, source];\n          return [name, undefined];\n",
  ]),
  mutant(
    "a wait for a checkpoint passes when its run has completed",
    "runner/steps/_wait_goal.ts",
    [
      "return { reached: timeline.some(({ step_name }) => step_name === this.checkpoint) };",
      'return { reached: state === "completed" || timeline.some(({ step_name }) => step_name === this.checkpoint) };',
    ],
  ),
  mutant("an absent value is sent as null", "runner/expression/expression.ts", [
    "    if (value === undefined) {\n      throw",
    "    if (value === undefined && this.text === '') {\n      throw",
  ]),
  mutant("the mask leaves out the details of steps", "runner/engine/mask_event.ts", [
    '"kind", "line",',
    '"kind", "detail", "line",',
  ]),
  mutant("nobody hears that unconsumed events could not be looked for", "runner/engine/case.ts", [
    "      this.#state.warn(`Cannot check for unconsumed events: ${(error as Error).message}`);\n",
    "      void error;\n",
  ]),
  mutant("the checks of a used recipe that failed do not count", "runner/engine/case.ts", [
    "    this.#state.verdict.include(nested.#state.verdict);\n",
    '    if (status === "passed") this.#state.verdict.include(nested.#state.verdict);\n',
  ]),
  mutant("an `if` without a value skips its step", "runner/engine/run_step.ts", [
    "    } catch (error) {\n      return report.failed(1, error);\n    }\n  }\n  return await runWithRetry",
    "    } catch (error) {\n      return void report.skipped(String(error));\n    }\n  }\n  return await runWithRetry",
  ]),
  mutant("all lists of a matrix vary together", "runner/recipe/read_matrix.ts", [
    "      rest = Math.floor(rest / values.length);\n",
    "",
  ]),
  mutant("the mask leaves out what waits have seen", "runner/engine/mask_event.ts", [
    '"kind", "line",',
    '"kind", "observed", "line",',
  ]),
  mutant("a soft step excuses the end of the time", "runner/engine/step_report.ts", [
    "return this.#step.soft && !this.#scope.deadline.passed;",
    "return this.#step.soft;",
  ]),
  mutant("a map inside a text becomes text", "runner/expression/template.ts", [
    'if (value === null || typeof value === "object") {',
    "if (value === undefined) {",
  ]),
  mutant(
    "the events that a used recipe published are forgotten if it fails",
    "runner/engine/case.ts",
    [
      "    this.#state.published.push(...nested.#state.published);\n",
      "    if (!failure) this.#state.published.push(...nested.#state.published);\n",
    ],
  ),
  mutant("what a script throws itself is ignored", "runner/engine/script_host.ts", [
    "      verdict.fail(describeError(cause, recipe.source, spanInModule(error, recipe)));\n",
    "      if (cause instanceof StepFailure || deadline.signal.aborted) verdict.fail(describeError(cause, recipe.source, spanInModule(error, recipe)));\n",
  ]),
  mutant(
    "the added fields of a step are lost if its `expect` does not hold",
    "runner/engine/attempt.ts",
    [
      "    const result = keepResult(step, outcome.result, inner, context);\n    if (step.expect) await assertAll([], step.expect, context, { result });\n",
      "    if (step.expect) await assertAll([], step.expect, context, { result: outcome.result });\n    keepResult(step, outcome.result, inner, context);\n",
    ],
  ),
  mutant("a priority of 0 is not sent", "runner/steps/enqueue.ts", [
    "...(step.priority ? { priority: context.number(step.priority) } : {}),",
    "...(step.priority && context.number(step.priority) ? { priority: context.number(step.priority) } : {}),",
  ]),
  mutant("the rows of a matrix come before those of `cases`", "runner/engine/run.ts", [
    "return rows.flatMap((row) => combinations.map((matrix) => ({ recipe, ...row, ...matrix })));",
    "return combinations.flatMap((matrix) => rows.map((row) => ({ recipe, ...row, ...matrix })));",
  ]),
  mutant("an interruption between two attempts fails the step", "runner/engine/retry.ts", [
    "if (!deadline.passed) return report.failed(attempt, stop);",
    "if (!deadline.passed) return report.failed(attempt, error);",
  ]),
  mutant("clean-up functions are not called after one has failed", "runner/engine/script_host.ts", [
    "        if (deadline.signal.aborted) await run.settle();\n        const error = toError(cause);",
    "        if (deadline.signal.aborted) await run.settle();\n        if (verdict.failed) break;\n        const error = toError(cause);",
  ]),
  mutant("a step whose time is over still begins", "runner/engine/attempt.ts", [
    "    deadline.signal.throwIfAborted();\n",
    "",
  ]),
  mutant(
    "HTML shows a run as passed that flaky cases have failed",
    "runner/report/html/run_collector.ts",
    [
      'if (counts.failed > 0 || finished.failed_by !== undefined) return "failed";',
      'if (counts.failed > 0) return "failed";',
    ],
  ),
  mutant(
    "the runs of other cases are not asked what they have consumed",
    "runner/engine/leftovers.ts",
    ["    this.#entities.push(...entities);\n", ""],
  ),
  mutant("every earlier attempt of a case is shown as failed", "runner/report/summarizer.ts", [
    "...{ attempt, status, started_at: attemptAt, duration_ms },",
    '...{ attempt, status: "failed" as const, started_at: attemptAt, duration_ms },',
  ]),
  mutant(
    "GitHub does not show the warnings of earlier attempts",
    "runner/report/github/annotations.ts",
    ["const attempts = [...summary.retries ?? [], summary];", "const attempts = [summary];"],
  ),
];
