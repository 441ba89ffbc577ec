import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { METHOD_SCOPES } from "../../protocol/method.ts";
import type { Step } from "../../runner/language/model.ts";
import { STEP_KINDS } from "../../runner/steps/step_kinds.ts";
import { ends, runRecipe } from "./_recipe.ts";
import { STEP_EXAMPLES, type StepExample } from "./_step_examples.ts";

/** Runs an example. Returns its events and the methods that the server got from its step alone. */
async function runExample(kind: string, { before = "", step, result, files }: StepExample) {
  const text = `vars: { order: ORD-7 }\nsteps:\n${before}  - id: step\n    ${step}\n` +
    (result === undefined ? "" : `  - assert: ${JSON.stringify(result)}\n`) +
    "  - assert: true\n";
  const methods: string[] = [];
  let isRunning = false;
  const ran = await runRecipe(text, ["--verbose"], {
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

for (const [kind, example] of Object.entries<StepExample>(STEP_EXAMPLES)) {
  const { writes, result } = STEP_KINDS[kind]!;

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
  });

  test(`${kind}: the example names every field of the result`, () => {
    const names = /^`(.*)`$/.exec(result.title)?.[1]?.split(", ") ?? [];
    for (const name of names) {
      ok(example.result?.includes(`step.${name.replace("[]", "")}`), `the example lacks ${name}`);
    }
    const isTyped = result.title !== "" && kind !== "parallel";
    equal(example.result !== undefined, isTyped, "`result` in the example");
  });
}

test("every step kind has an example", () => {
  deepEqual(Object.keys(STEP_EXAMPLES), Object.keys(STEP_KINDS));
});
