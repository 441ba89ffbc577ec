import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { checkRecipe } from "../../runner/recipe/read_recipe.ts";
import { required } from "../../runner/language/field.ts";
import { target } from "../../runner/steps/_target.ts";
import { stepKind } from "../../runner/steps/kind.ts";
import { NO_RESULT } from "../../runner/steps/result_types.ts";
import { STEP_KINDS } from "../../runner/steps/step_kinds.ts";

const replay = stepKind({
  name: "replay",
  title: "a replay step",
  description: "Replays a run.",
  usage: "`replay: ID`",
  fields: { replay: required(target("The run.", "run")) },
  writes: true,
  result: NO_RESULT,
  label: () => "replay",
  run: () => Promise.resolve({}),
});

/** Returns the messages about a step. */
async function messages(step: string): Promise<string[]> {
  const text = `steps:\n  - id: job\n    enqueue: noop\n  - id: run\n    start: noop\n${step}`;
  const diagnostics = await checkRecipe("r.yaml", text);
  return diagnostics.filter(({ code }) => code !== "nothing-checked")
    .map(({ message, label }) => label === undefined ? message : `${message}: ${label}`);
}

test("a step kind that needs a run accepts only a run", async (context) => {
  Object.assign(STEP_KINDS, { replay });
  // Bun runs all files in one process, and the other tests must not see this kind.
  context.after(() => void Reflect.deleteProperty(STEP_KINDS, "replay"));
  deepEqual(await messages("  - replay: run"), []);
  deepEqual(await messages("  - replay: { run: wfrun_1 }"), []);
  deepEqual(await messages("  - replay: job"), ["the result of step `job` is a job, not a run"]);
  deepEqual(await messages("  - replay: { job: job_1 }"), [
    "unknown key `job` in `replay`: it takes run",
  ]);
  deepEqual(await messages("  - replay: {}"), ["`replay` needs one of `run`"]);
  deepEqual(await messages("  - replay: ${{ run }}"), [
    "`replay` takes the id of a step, not an expression: for the id of a run write `{run: …}`",
  ]);
});
