// The causes of an error that a recipe throws, and the errors of an AggregateError.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { causeLines } from "../../runner/events/error_causes.ts";
import { StepFailure } from "../../runner/events/failure.ts";
import type { EventFailure } from "../../runner/mod.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";
import { runScript, scriptModule } from "./_script.ts";

/** The failure of a recipe with this body. */
async function failureOf(body: string): Promise<EventFailure> {
  const { events } = await runScript(`recipe("Throws", async (t) => {\n${body}\n})`);
  const end = events.find((event) => event.type === "case.finished");
  return end!.failure!;
}

test("a failure shows the causes of what the recipe has thrown", async () => {
  const { message, lines } = await failureOf(`
    const inner = new TypeError("connection refused", { cause: { port: 7 } });
    throw new Error("no order", { cause: new Error("fetch failed", { cause: inner }) });`);
  assert.equal(message, "no order");
  assert.deepEqual(lines, [
    "caused by: fetch failed",
    "  caused by: TypeError: connection refused",
    '    caused by: {"port":7}',
  ]);
});

test("a failure shows the errors of an AggregateError, with their causes", async () => {
  const { message, lines } = await failureOf(`
    await Promise.any([
      Promise.reject(new Error("eu is down", { cause: new RangeError("503") })),
      Promise.reject("us is down"),
    ]);`);
  assert.match(message, /promises|AggregateError/);
  assert.deepEqual(lines, ["- eu is down", "  caused by: RangeError: 503", "- us is down"]);
});

test("a failure shows the step that the recipe has wrapped in an error", async () => {
  const { lines } = await failureOf(`
    try { t.expect(3).toBe(4); } catch (cause) { throw new Error("wrong", { cause }); }`);
  // The failed step decides the case, so the wrapped error is not shown.
  assert.deepEqual(lines, []);
});

test("the console prints the causes", async () => {
  const made = `recipe("Throws", () => { throw new Error("a", { cause: new Error("b") }); })`;
  await withFiles({ "r.recipe.ts": scriptModule(made) }, async (directory) => {
    const { code, out } = await runnerCli([join(directory, "r.recipe.ts")]);
    assert.equal(code, 1);
    assert.match(out, / = caused by: b\n/);
  });
});

test("a module that throws is reported with the causes of its error", async () => {
  const module = `throw new Error("no config", { cause: new Error("ENOENT") });\n`;
  await withFiles({ "r.recipe.ts": module }, async (directory) => {
    const { code, err } = await runnerCli(["check", join(directory, "r.recipe.ts")]);
    assert.equal(code, 2);
    assert.match(err, /cannot load the recipe's module: no config\n/);
    assert.match(err, / = caused by: ENOENT\n/);
  });
});

test("causes are bounded in depth, number and length, and may be circular", () => {
  let deep = new Error("0");
  for (let i = 1; i < 100; i++) deep = new Error(`level ${i}`, { cause: deep });
  assert.equal(causeLines(deep).length, 7);
  const circular = new Error("a");
  circular.cause = new Error("b", { cause: circular });
  assert.deepEqual(causeLines(circular), ["caused by: b", "  caused by: [circular]"]);
  const self = new AggregateError([], "self");
  self.errors.push(self);
  assert.deepEqual(causeLines(self), ["- [circular]"]);
  const many = new AggregateError(Array.from({ length: 1000 }, (_, i) => new Error(`${i}`)));
  assert.deepEqual(causeLines(many).slice(-2), ["- 9", "- … and 990 more"]);
  const nested = new AggregateError(Array(20).fill(many));
  nested.errors = Array(20).fill(new AggregateError(Array(20).fill(many)));
  assert.equal(causeLines(nested).length, 51);
  const [long] = causeLines(new Error("x", { cause: new Error("y".repeat(100_000)) }));
  assert.ok(long!.length < 1100);
});

test("causes that say nothing new, or cannot be read, do not hide the error", () => {
  const refused = new Error("connection refused");
  assert.deepEqual(
    causeLines(new Error("Cannot connect: connection refused", { cause: refused })),
    [],
  );
  const step = new StepFailure("wait", "job `a` is failed");
  assert.deepEqual(causeLines(new Error("x", { cause: step })), ["caused by: job `a` is failed"]);
  const hostile = Object.defineProperty(new Error("x"), "cause", {
    get() {
      throw new Error("no");
    },
  });
  assert.deepEqual(causeLines(hostile), ["caused by: [cause threw no]"]);
  assert.deepEqual(causeLines(new Error("x", { cause: null })), ["caused by: null"]);
  assert.deepEqual(causeLines(null), []);
  assert.deepEqual(causeLines("text"), []);
});
