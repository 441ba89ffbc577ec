import type { Mutant } from "../mutants.ts";

function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits, isRunner: true };
}

/** Mutants of what makes up a run: its cases and their attempts, its end, its reports and parts. */
export const RUN_MUTANTS: readonly Mutant[] = [
  mutant(
    "a used recipe gets the default of an input that is passed",
    "runner/engine/initial_scope.ts",
    ["Object.hasOwn(inputs, name) ? inputs[name] : fallback", "fallback ?? inputs[name]"],
  ),
  mutant(
    "a used recipe that failed leaves its outputs",
    "runner/engine/case.ts",
    [
      "    if (failure) {\n      throw",
      "    if (failure) {\n      if (recipe.outputs.length < 3) this.#state.results.set(caller.step.id!, nested.#outputs());\n      throw",
    ],
  ),
  mutant(
    "a used recipe sees the variables of the one around it",
    "runner/engine/case.ts",
    ["vars: {}, inputs }", "vars: this.#state.variables, inputs }"],
  ),
  mutant(
    "the fields that a step has added are lost when a wait reads it again",
    "runner/events/results.ts",
    [
      "{ ...this.#raw.get(id) as Record<string, unknown> | undefined, ...fields }",
      "{ ...fields }",
    ],
  ),
  mutant(
    "a wait for a job does not bring its result up to date",
    "runner/steps/wait.ts",
    [
      "id === undefined ? result : context.results.update(id, result)",
      "result",
    ],
  ),
  mutant(
    "the default of a variable of the environment wins",
    "runner/engine/initial_scope.ts",
    ["env(name) ?? fallback", "fallback ?? env(name)"],
  ),
  mutant(
    "every case has the values of the first row",
    "runner/engine/run.ts",
    ["row: name, vars: values", "row: name, vars: recipe.rows![0]!.values"],
  ),
  mutant(
    "the name of a case leaves out its row",
    "runner/engine/case_names.ts",
    ["...row === undefined ? [] : [row], ...values", "...values"],
  ),
  mutant(
    "the cases of a matrix are those of its first row only",
    "runner/engine/run.ts",
    [
      "return rows.flatMap((row) => combinations.map(",
      "return rows.slice(0, recipe.matrix.length > 0 ? 1 : undefined).flatMap((row) => combinations.map(",
    ],
  ),
  mutant(
    "a quarantine excuses after its end",
    "runner/engine/run_case.ts",
    ["if (!quarantine || quarantine.ends <= began)", "if (!quarantine)"],
  ),
  mutant(
    "a quarantine ends while its run goes on",
    "runner/engine/run_case.ts",
    [
      "const quarantine = activeQuarantine(planned.recipe, runBegan);",
      "const quarantine = activeQuarantine(planned.recipe, clock.now());",
    ],
  ),
  mutant(
    "a failure in quarantine fails the run",
    "runner/events/counts.ts",
    ["if (isExcused(end)) counts", "if (isExcused(end) && end.flaky) counts"],
  ),
  mutant(
    "a quarantine excuses a recipe that checks nothing",
    "runner/events/failure.ts",
    [
      `(status === "failed" || status === "errored")`,
      `(status !== "passed" && status !== "skipped")`,
    ],
  ),
  mutant(
    "nobody hears that a quarantine is over",
    "runner/engine/run_case.ts",
    [
      `declared && !quarantine && status !== "passed"`,
      `declared && quarantine && status !== "passed"`,
    ],
  ),
  mutant(
    "`--bail` stops after a failure in quarantine",
    "runner/engine/run.ts",
    [`result.status !== "passed" && !isExcused(result)`, `result.status !== "passed"`],
  ),
  mutant(
    "`--retries` makes one attempt more",
    "runner/engine/run_case.ts",
    ["if (attempt <= retries &&", "if (attempt <= retries + Math.min(retries, 1) &&"],
  ),
  mutant(
    "a case that passes when it is run anew is not flaky",
    "runner/engine/run_case.ts",
    [`(status === "passed" && attempt > 1)`, `(status === "passed" && attempt > 3)`],
  ),
  mutant(
    "a case that checks nothing is run anew",
    "runner/engine/run_case.ts",
    [`(status === "failed" || status === "errored")`, `status !== "passed"`],
  ),
  mutant(
    "a case that could not be run is not run anew",
    "runner/engine/run_case.ts",
    [`(status === "failed" || status === "errored")`, `status === "failed"`],
  ),
  mutant(
    "a case is run anew although the run was interrupted",
    "runner/engine/run_case.ts",
    ["mayRetry(result) && !signal.aborted", "mayRetry(result)"],
  ),
  mutant(
    "an attempt of a case has only the time that earlier ones left",
    "runner/engine/run_case.ts",
    [
      "...{ ...rest, client, index,",
      "...{ ...rest, ...(attempt > 1 ? { timeout: Math.max(1, 1_000 - elapsed()) } : {}), client, index,",
    ],
  ),
  mutant(
    "flaky cases in quarantine fail a run with `--fail-on-flaky`",
    "runner/engine/run.ts",
    ["if (result.flaky && !result.quarantine)", "if (result.flaky)"],
  ),
  mutant(
    "`--fail-on-flaky` is ignored",
    "runner/engine/run.ts",
    ["isFlaky && options.failOnFlaky", "isFlaky && options.failOnFlaky && counts.passed === 0"],
  ),
  mutant(
    "a failure decides the exit code of an interrupted run",
    "runner/engine/verdict.ts",
    [
      "if (isInterrupted) return EXIT_CODES.interrupted;",
      "if (isInterrupted && counts.failed === 0) return EXIT_CODES.interrupted;",
    ],
  ),
  mutant(
    "a run of which nothing was checked exits with 0",
    "runner/engine/verdict.ts",
    [
      "if (counts.unchecked > 0) return EXIT_CODES.unchecked;",
      "if (counts.unchecked > 0 && counts.passed === 0) return EXIT_CODES.unchecked;",
    ],
  ),
  mutant(
    "a case that was not started because of an interruption counts as skipped",
    "runner/events/counts.ts",
    [`reason === "bail" ? "skipped" : "interrupted"`, `"skipped"`],
  ),
  mutant(
    "a step that passes after a retry reports one attempt",
    "runner/engine/retry.ts",
    ["report.passed(attempt, result.outcome);", "report.passed(1, result.outcome);"],
  ),
  mutant(
    "the pause between attempts does not grow",
    "runner/engine/retry.ts",
    ["Math.min(pause * 2, MAX_BACKOFF)", "Math.min(pause, MAX_BACKOFF)"],
  ),
  mutant(
    "all attempts of a step share its time",
    "runner/engine/attempt.ts",
    [
      "ownLimit(step, scope) + (owner.virtual?.grace ?? 0)",
      "ownLimit(step, scope) - (attempt > 1 ? report.elapsed : 0)",
    ],
  ),
  mutant(
    "the failure of a case is its last one",
    "runner/engine/verdict.ts",
    [
      "    if (this.failed) return;\n    this.#failure = failure;",
      "    this.#failure = failure;\n    if (this.failed) return;",
    ],
  ),
  mutant(
    "`expect` compares lists and maps by reference",
    "runner/expression/matcher.ts",
    ["      return equal(argument, value);", "      return argument === value;"],
  ),
  mutant(
    "`contains` looks at the first item only",
    "runner/expression/matcher.ts",
    ["value.some((item) => equal(part, item))", "equal(part, value[0])"],
  ),
  mutant(
    "`for_each` runs its items one after the other",
    "runner/engine/for_each.ts",
    ["Math.min(parallel, list.length)", "Math.min(1, list.length)"],
  ),
  mutant(
    "`for_each` runs one item too many at a time",
    "runner/engine/for_each.ts",
    ["Math.min(parallel, list.length)", "Math.min(parallel + 1, list.length)"],
  ),
  mutant(
    "a failure beside an item is overtaken by the items that it stops",
    "runner/engine/for_each.ts",
    [
      "      if (!failed || failure) continue;\n      failure = failed;",
      "      if (!failed) continue;\n      failure = failed;",
    ],
  ),
  mutant(
    "the time of `always` is twice as long",
    "runner/engine/cleanup_budget.ts",
    ["ALWAYS_TIMEOUT = 10_000", "ALWAYS_TIMEOUT = 20_000"],
  ),
  mutant(
    "the time of a recipe holds for `always`, too",
    "runner/engine/case.ts",
    [
      "      this.#cleanUpBudget.deadline() + (this.#options.virtual?.grace ?? 0),",
      "      Math.min(this.#cleanUpBudget.deadline(), monotonicNow(this.#options.clock) + (this.#recipe.timeout ? this.#timeout() : Infinity)),",
    ],
  ),
  mutant(
    "the mask leaves out the message of a failure",
    "runner/engine/mask_event.ts",
    [`"kind", "line",`, `"kind", "message", "line",`],
  ),
  mutant(
    "the mask leaves out the events of cases",
    "runner/engine/run.ts",
    [
      "options.report(maskEvent(stamped, mask));",
      `options.report(event.type.startsWith("case.") ? stamped : maskEvent(stamped, mask));`,
    ],
  ),
  mutant(
    "the mask leaves out passwords of addresses",
    "runner/engine/mask_forms.ts",
    ["    decoded(password),\n", ""],
  ),
  mutant(
    "CTRF counts a failure in quarantine as failed",
    "runner/report/ctrf/ctrf.ts",
    [`isExcused(summary) ? "other" : STATUSES[status]`, "STATUSES[status]"],
  ),
  mutant(
    "JUnit reports a failure in quarantine as a failure",
    "runner/report/junit/junit.ts",
    [
      "if (quarantine && isExcused(summary)) {",
      "if (quarantine && isExcused(summary) && summary.flaky) {",
    ],
  ),
  mutant(
    "TAP reports a failure in quarantine as not ok",
    "runner/report/tap/tap.ts",
    [
      "quarantine && isExcused(summary) ? quarantine",
      "quarantine && isExcused(summary) && flaky ? quarantine",
    ],
  ),
  mutant(
    "merged parts lose the cases in quarantine",
    "runner/merge/merge_parts.ts",
    ["counts[key] = (counts[key] ?? 0) + count;", "if (key in counts) counts[key]! += count;"],
  ),
  mutant(
    "merged parts have the end of the last one",
    "runner/merge/merge_parts.ts",
    [
      "const isInterrupted = ends.some(({ interrupted }) => interrupted);",
      "const isInterrupted = ends.at(-1)?.interrupted ?? false;",
    ],
    ["isFailedByFlaky: ends.some(", "isFailedByFlaky: ends.slice(-1).some("],
  ),
  mutant(
    "merged parts keep the numbers of their cases",
    "runner/merge/part_reader.ts",
    ["    event.case = number;\n", ""],
  ),
  mutant(
    "merging leaves out cases of a killed part that had ended",
    "runner/merge/part_reader.ts",
    [
      "if (this.#complete.delete(number)) return events;",
      "if (this.#complete.delete(number)) return this.stream.hasEnded ? events : [];",
    ],
  ),
  mutant(
    "a case that a killed part has not ended counts as passed",
    "runner/merge/part_reader.ts",
    ["    this.#counts.errored++;", "    this.#counts.passed++;"],
  ),
  mutant(
    "a stored stream loses the attempts of its cases",
    "runner/report/json/read_stream.ts",
    [
      "    if (!check) return undefined;",
      `    if (!check || type === "case.retried") return undefined;`,
    ],
  ),
  mutant(
    "an event is warned about although a run has consumed it",
    "runner/engine/leftovers.ts",
    [`if (typeof event?.id === "string") consumed.add(event.id);`, "void event;"],
  ),
  mutant(
    "the events that a used recipe has published are forgotten",
    "runner/engine/case.ts",
    ["    this.#state.published.push(...nested.#state.published);\n", ""],
  ),
  mutant(
    "after an interruption nobody looks for unconsumed events",
    "runner/engine/case.ts",
    [
      "const left = await findLeftovers(published, this.#entities(),",
      "const left = await findLeftovers(signal.aborted ? [] : published, this.#entities(),",
    ],
  ),
  mutant(
    "what `advance` skips counts for the time of the recipe",
    "runner/events/deadline.ts",
    ["    if (!(this.#outer instanceof AbortSignal)) this.#outer.postpone(ms);\n", ""],
  ),
  mutant(
    "what `advance` skips counts for `within`",
    "runner/events/deadline.ts",
    ["    this.#clearTimer();\n    this.#at += ms;\n    this.#setTimer();", ""],
  ),
  mutant(
    "`advance` lets the time pass twice",
    "runner/engine/virtual_time.ts",
    ["    let made = 0;\n", "    let made = 0;\n    await this.#time.pass(ms, signal);\n"],
  ),
  mutant(
    "`--timeout` is ignored",
    "runner/engine/case.ts",
    ["Math.min(own, this.#options.timeout ?? Infinity)", "Math.min(own, Infinity)"],
  ),
  mutant(
    "a step that is not selected leaves out the same one of used recipes",
    "runner/engine/case.ts",
    [
      "const { select: _, matrix: __, timeout: ___, ...options } = this.#options;",
      "const { matrix: __, timeout: ___, ...options } = this.#options;",
    ],
  ),
  mutant(
    "a step that is not selected runs if it is soft",
    "runner/engine/case.ts",
    ["else if (select && !select(step))", "else if (select && !step.soft && !select(step))"],
  ),
  mutant(
    "the queue of a job is ignored",
    "runner/steps/enqueue.ts",
    ["...(step.queue ? { queue", "...(step.queue && step.priority ? { queue"],
  ),
  mutant(
    "the priority of a job is ignored",
    "runner/steps/enqueue.ts",
    ["...(step.priority ? { priority", "...(step.priority && step.queue ? { priority"],
  ),
  mutant(
    "a wait tells only the last state that it has seen",
    "runner/steps/_wait_history.ts",
    [
      "states: this.#states.map(({ state, at })",
      "states: this.#states.slice(-1).map(({ state, at })",
    ],
  ),
  mutant(
    "a case of a matrix does not tell its values",
    "runner/engine/case.ts",
    ["...(matrix === undefined ? {} : { matrix }),\n      ...(attempt", "...(attempt"],
  ),
  mutant(
    "the time of events is that of the beginning",
    "runner/engine/run.ts",
    [
      "ts: new Date(clock.now()).toISOString()",
      'ts: new Date(event.type === "step.retried" ? runBegan : clock.now()).toISOString()',
    ],
  ),
  mutant(
    "a `for_each` without items is not reported",
    "runner/engine/for_each.ts",
    ["if (list.length === 0) report.skipped(", "if (list.length < 0) report.skipped("],
  ),
  mutant(
    "a step logs its line without the last value in it",
    "runner/steps/log.ts",
    [
      `typeof value === "string" ? value :`,
      `typeof value === "string" ? value.replace(/none$/, "") :`,
    ],
  ),
  mutant(
    "summaries leave out steps that were skipped",
    "runner/report/summarizer.ts",
    [
      "else state.summary.steps.push({ ...result, retries: [] });",
      `else if (result.status !== "skipped") state.summary.steps.push({ ...result, retries: [] });`,
    ],
  ),
  mutant(
    "summaries leave out the first attempts of steps",
    "runner/report/summarizer.ts",
    [
      "step?.retries.push({ attempt, at: ts, failure });",
      "if (attempt > 1) step?.retries.push({ attempt, at: ts, failure });",
    ],
  ),
  mutant(
    "CTRF does not say that a case is flaky",
    "runner/report/ctrf/ctrf.ts",
    ["...(flaky ? { flaky } : {}),", ""],
  ),
];
