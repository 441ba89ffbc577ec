import type { Mutant } from "../mutants.ts";

function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits, isRunner: true };
}

/** Mutants of when steps begin and end, how long things took, and what a run leaves behind. */
export const STEP_MUTANTS: readonly Mutant[] = [
  mutant(
    "the duration of a run is that of its end",
    "runner/engine/run.ts",
    [
      "  const elapsed = startStopwatch(clock);\n  const runBegan",
      "  let elapsed = startStopwatch(clock);\n  const runBegan",
    ],
    [
      "  const { exit_code, ...why } = endOfRun(",
      "  elapsed = startStopwatch(clock);\n  const { exit_code, ...why } = endOfRun(",
    ],
  ),
  mutant(
    "the duration of an attempt of a case includes earlier ones",
    "runner/engine/run_case.ts",
    [
      "duration_ms: elapsedOfAttempt(), ...why",
      "duration_ms: elapsed(), ...why",
    ],
  ),
  mutant("`parallel` runs its steps one after the other", "runner/engine/run_step.ts", [
    "  const failures = await Promise.all(steps.map((one) => runStep(one, scope)));",
    `  const failures: (EventFailure | undefined)[] = [];
  for (const one of steps) failures.push(await runStep(one, scope));`,
  ]),
  mutant(
    "functions of `t.always` are called in the order in which they were passed",
    "runner/engine/script_host.ts",
    ["of run.cleanUps) {", "of [...run.cleanUps].reverse()) {"],
  ),
  mutant("the client's own timeout ends a step with `within`", "runner/engine/step_context.ts", [
    "...(step.within ? { timeout: 0 } : {}) };",
    "};",
  ]),
  mutant("a wait goes on listening to its job", "runner/steps/_poll.ts", [
    "    this.#stop?.abort();\n",
    "",
  ]),
  mutant("events do not wake a wait", "runner/steps/_poll.ts", [
    "        this.#onEvent?.();\n",
    "",
  ]),
  mutant("the pauses of a wait do not grow", "runner/steps/_poll.ts", [
    "        this.#pause = Math.min(this.#pause * 2, MAX_PAUSE);\n",
    "",
  ]),
  mutant("a cancel ignores the time of its step", "runner/steps/cancel.ts", [
    "await context.client.cancelJob(id, context.callOptions);",
    "await context.client.cancelJob(id);",
  ]),
  mutant("a run goes on listening to unhandled errors", "runner/engine/run.ts", [
    "    for (const stop of stopListening) stop();",
    "    void stopListening;",
  ]),
];
