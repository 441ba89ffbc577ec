// How errors are described in events: their kind, message, place and details.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, ConnectionError, DispatchError, TimeoutError } from "../../client/errors.ts";
import { describeError, placeOf, spanInModule } from "../../runner/engine/describe_error.ts";
import { DeadlineError, InterruptedError } from "../../runner/events/deadline.ts";
import { StepFailure } from "../../runner/events/failure.ts";
import { EvaluationError } from "../../runner/expression/expression.ts";
import { Source } from "../../runner/mod.ts";
import { runEngine, scriptRecipe } from "./_engine.ts";
import { ends, firstFailure } from "./_recipe.ts";

test("a lost connection makes a step errored", async () => {
  const call = () => Promise.reject(new ConnectionError("lost", "connection_lost"));
  const result = await runEngine("steps: [{ call: job.list }, { assert: true }]\n", {
    client: { call },
  });
  assert.equal(ends(result.events)[0]!.status, "errored");
});

const SOURCE = new Source("r.yaml", "steps:\n  - assert: x == 1\n");
const FALLBACK = { start: 9, end: 11 };
const FALLBACK_PLACE = {
  file: "r.yaml",
  line: 2,
  column: 3,
  text: "  - assert: x == 1",
  length: 2,
};

test("an error is described with its kind, its code and the place of its step", () => {
  for (
    const [error, kind, more] of [
      [new DispatchError("no", 404), "server", { code: 404 }],
      [new DispatchError("no", "bad_options"), "thrown", { code: "bad_options" }],
      [new AuthError("no"), "connection", { code: 401 }],
      [new ConnectionError("no", "closed"), "connection", { code: "closed" }],
      [new TimeoutError("no"), "connection", { code: "timeout" }],
      [new DeadlineError("no"), "deadline", {}],
      [new TypeError("no"), "thrown", {}],
    ] as const
  ) {
    assert.deepEqual(describeError(error, SOURCE, FALLBACK), {
      kind,
      message: "no",
      ...more,
      lines: [],
      place: FALLBACK_PLACE,
    });
  }
  assert.equal(describeError(new InterruptedError(), SOURCE).kind, "interrupted");
});

test("an error is shown at its own place, if it has one", () => {
  const span = { start: 19, end: 25 };
  const place = { ...FALLBACK_PLACE, column: 13, length: 6 };
  const failure = new StepFailure("wait", "no", { span, lines: ["a"] });
  assert.deepEqual(describeError(failure, SOURCE, FALLBACK), {
    kind: "wait",
    message: "no",
    lines: ["a"],
    place,
  });
  const bare = new StepFailure("wait", "no");
  assert.deepEqual(describeError(bare, SOURCE, FALLBACK).place, FALLBACK_PLACE);
  assert.equal("place" in describeError(bare, SOURCE), false);
  const source = new Source("other.yaml", "name: x\n");
  const elsewhere = new StepFailure("wait", "no", { span: { start: 6, end: 7 }, source });
  assert.equal(describeError(elsewhere, SOURCE, FALLBACK).place!.file, "other.yaml");
  const unplaced = new StepFailure("wait", "no", { source });
  assert.deepEqual(describeError(unplaced, SOURCE, FALLBACK).place, FALLBACK_PLACE);
  const evaluation = new EvaluationError("absent", span);
  assert.deepEqual(describeError(evaluation, SOURCE, FALLBACK), {
    kind: "evaluation",
    message: "absent",
    lines: [],
    place,
  });
});

test("anything that was thrown has a message", () => {
  const message = (error: unknown) => describeError(error, SOURCE, FALLBACK).message;
  assert.equal(message(new RangeError("no")), "no");
  assert.equal(message(new RangeError("")), "RangeError");
  assert.equal(message({ name: "", message: "" }), "Error");
  assert.equal(message("text"), "text");
  assert.equal(message(null), "null");
  assert.equal(message(undefined), "undefined");
});

test("an error without a place shows where outside the runner it was thrown", () => {
  const thrown = (stack: string | undefined, cause?: unknown) => {
    const error = new Error("no", cause === undefined ? {} : { cause });
    Object.defineProperty(error, "stack", { value: stack });
    return error;
  };
  const stack = "Error: no\n    at run (/lib/a.ts:3:7)\n    at outer (/lib/b.ts:1:1)";
  const cause = new Error("why");
  assert.deepEqual(describeError(thrown(stack, cause), SOURCE).lines, [
    "at /lib/a.ts:3:7",
    "caused by: why",
  ]);
  assert.deepEqual(describeError(thrown(stack, cause), SOURCE, FALLBACK).lines, ["caused by: why"]);
  assert.deepEqual(describeError(thrown(undefined), SOURCE).lines, []);
  const refused = Object.defineProperty(new DispatchError("no", 404), "stack", { value: stack });
  assert.deepEqual(describeError(refused, SOURCE).lines, []);
});

test("a place underlines its part of the line, and at least one character", () => {
  const length = (start: number, end: number) => placeOf(SOURCE, { start, end }).length;
  assert.equal(length(9, 11), 2);
  assert.equal(length(9, 9), 1);
  assert.equal(length(19, 25), 6);
  assert.equal(length(19, 99), 6);
  assert.equal(length(25, 30), 1);
});

test("an error is placed in the recipe's module only if its stack has it", () => {
  const source = new Source("r.recipe.ts", "first line\nsecond line\n");
  const recipe = scriptRecipe(() => {}, { source, module: "/recipes/r.recipe.ts" });
  const withStack = (stack: string) =>
    Object.defineProperty(new Error(), "stack", { value: stack });
  assert.deepEqual(
    spanInModule(
      withStack("Error\n    at a (/lib/a.ts:1:1)\n    at r (/recipes/r.recipe.ts:2:8)"),
      recipe,
    ),
    { start: 18, end: 19 },
  );
  assert.equal(spanInModule(withStack("Error\n    at a (/lib/a.ts:1:1)"), recipe), undefined);
  assert.equal(spanInModule(undefined, recipe), undefined);
  assert.equal(spanInModule("text", recipe), undefined);
});

test("explains the absent output of a run that has completed, and of no other", async () => {
  const lines = async (state: string, expression: string) => {
    const result = await runEngine(
      `
steps:
  - id: run
    call: workflow.get
  - assert: ${expression}
`,
      { client: { call: () => Promise.resolve({ run_id: "r1", state }) } },
    );
    return firstFailure(result.events).lines.filter((line) => !line.startsWith(" "));
  };
  const explained = await lines("completed", "run.output.total == 1");
  assert.deepEqual(explained.slice(-2), [
    "`run` has completed, but today's servers keep no output of runs: quirk `outputs-lost` in docs/dev.md",
    "check its `steps`, or an event that the workflow publishes",
  ]);
  const isExplained = async (state: string, expression: string) =>
    (await lines(state, expression)).some((line) => line.includes("outputs-lost"));
  assert.equal(await isExplained("completed", "run.output == 1"), true);
  assert.equal(await isExplained("running", "run.output.total == 1"), false);
  assert.equal(await isExplained("completed", "run.other.total == 1"), false);
  assert.equal(await isExplained("completed", "run.state == 'failed'"), false);
  // A variable has no state.
  const text = "vars: { output: { a: 1 } }\nsteps:\n  - assert: vars.output.total == 1\n";
  const { message, lines: none } = firstFailure((await runEngine(text)).events);
  assert.deepEqual([message, none], ["`vars.output.total` is absent", []]);
});
