import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { METHOD_SCOPES } from "../../protocol/method.ts";
import type { Step } from "../../runner/language/model.ts";
import { STEP_KINDS } from "../../runner/steps/step_kinds.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";
import { STEP_EXAMPLES, type StepExample } from "./_step_examples.ts";

/** The recipe of an example, which ends with the step. */
function recipeOf({ before = "", step }: StepExample): string {
  return `vars: { order: ORD-7 }\nsteps:\n${before}  - id: step\n    ${step}\n`;
}

/** Runs an example. Returns its events and the methods that the server got from its step alone. */
async function runExample(kind: string, example: StepExample) {
  const { result, files, args = [] } = example;
  const text = recipeOf(example) +
    (result === undefined ? "" : `  - assert: ${JSON.stringify(result)}\n`) +
    "  - assert: true\n";
  const methods: string[] = [];
  let isRunning = false;
  const ran = await runRecipe(text, ["--verbose", ...args], {
    files,
    onOut(line) {
      if (!line.includes(`"kind":"${kind}"`) || !line.includes('"id":"step"')) return;
      isRunning = line.includes('"type":"step.started"');
    },
    onErr(line) {
      const [, method] = / → .*"type":"request","method":"([^"]+)"/.exec(line) ?? [];
      if (isRunning && method !== undefined) methods.push(method);
    },
  });
  return { ...ran, methods };
}

/** Whether the protocol says that a method changes something. */
function isWriteMethod(method: string): boolean {
  return /:write$|^admin$/.test(METHOD_SCOPES[method as keyof typeof METHOD_SCOPES] ?? "");
}

/** What the methods that create something create. */
const CREATED_BY: Record<string, "job" | "run"> = {
  "job.enqueue": "job",
  "dlq.replay": "job",
  "workflow.start": "run",
};

for (const [kind, example] of Object.entries<StepExample>(STEP_EXAMPLES)) {
  const { writes, result, checks = false, waits = false, creates } = STEP_KINDS[kind]!;

  test(`${kind}: a step of this kind runs, and its result has the declared type`, async () => {
    const { code, out, err, events, methods } = await runExample(kind, example);
    equal(code, 0, out + err);
    const step = ends(events).find((step) => step.id === "step" && step.kind === kind)!;
    equal(step.status, "passed");
    equal(step.label, example.label);
    if (example.detail) match(step.detail ?? "", example.detail);
    else equal(step.detail, undefined);
    const call = { call: methods.at(-1) } as unknown as Step["fields"];
    const declared = typeof writes === "function" ? writes(call) : writes;
    equal(declared, methods.some(isWriteMethod), `writes: ${declared}; it sent ${methods}`);
    equal(creates, methods.map((method) => CREATED_BY[method]).find(Boolean), "`creates`");
    if (creates) match(step.detail ?? "", { job: /^job_/, run: /^wfrun_/ }[creates]);
    equal(waits, step.observed !== undefined, "`waits`: it has observed something");
  });

  test(`${kind}: a recipe with this step alone passes only if the step checks something`, async () => {
    const { events, err } = await runRecipe(recipeOf(example), example.args, example);
    const { status } = events.find((event) => event.type === "case.finished")!;
    equal(status, checks ? "passed" : "unchecked", "`checks`");
    equal(err.includes("neither waits nor asserts"), !checks, err);
  });

  test(`${kind}: the example names every field of the result`, () => {
    const names = /^`(.*)`$/.exec(result.title)?.[1]?.split(", ") ?? [];
    for (const name of names) {
      ok(example.result?.includes(`step.${name.replace("[]", "")}`), `the example lacks ${name}`);
    }
    const isTyped = result.title !== "" && kind !== "parallel";
    equal(example.result !== undefined, isTyped, "`result` in the example");
  });

  if (example.result !== undefined) continue;
  test(`${kind}: the step leaves no result, as its kind declares none`, async () => {
    const text = `${recipeOf(example)}    outputs: { value: result }\n`;
    const { events } = await runRecipe(text, example.args, example);
    equal(firstFailure(events).message, "`result` has no value: the step has no result");
  });
}

test("every step kind has an example", () => {
  deepEqual(Object.keys(STEP_EXAMPLES), Object.keys(STEP_KINDS));
});
