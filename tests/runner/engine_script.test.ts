// How the engine runs the function of a recipe in TypeScript, and its clean-up functions.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { literal } from "../../runner/expression/template.ts";
import { type Script, Source } from "../../runner/mod.ts";
import { type EngineResult, ofType, runEngine, scriptRecipe } from "./_engine.ts";
import { ends } from "./_recipe.ts";

/** This file, as the module of the recipes. */
const HERE = fileURLToPath(import.meta.url);
const IN_THIS_FILE = {
  module: HERE,
  source: new Source("here.ts", readFileSync(HERE, "utf8")),
};

function outcome(result: EngineResult) {
  const { status, failure } = ofType(result, "case.finished")[0]!;
  return [status, failure?.kind, failure?.message];
}

function warnings(result: EngineResult): string[] {
  return ofType(result, "warning").map(({ text }) => text);
}

test("an assertion is reported as a step that begins and ends at once", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true, "one");
    t.expect(1).toBe(2);
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(
    ofType(result, "step.started").map(({ step, label, attempt }) => [step, label, attempt]),
    [["1", "assert one", 1], ["2", "expect 1 to be 2", 1]],
  );
  assert.deepEqual(
    ends(result.events).map(({ step, status, attempts, id }) => [step, status, attempts, id]),
    [["1", "passed", 1, undefined], ["2", "failed", 1, undefined]],
  );
  const calls = await runEngine([scriptRecipe(async (t) => void await t.call("job.list"))], {
    client: { call: () => Promise.resolve({}) },
  });
  assert.deepEqual(ends(calls.events).map(({ id }) => id), [undefined]);
});

test("an error of the function fails the case at its place in the module", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    throw new RangeError("no order");
  }, IN_THIS_FILE);
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["failed", "thrown", "no order"]);
  const { place } = ofType(result, "case.finished")[0]!.failure!;
  assert.match(place!.text, /throw new RangeError\("no order"\)/);
  const text = await runEngine([scriptRecipe(() => Promise.reject("no"))]);
  assert.deepEqual(outcome(text), ["failed", "thrown", "the recipe threw no"]);
});

test("a function that awaits no step ends when its time is over", async () => {
  const recipe = scriptRecipe(async (t) => {
    t.assert(true);
    await new Promise(() => {});
  }, { timeout: literal("3s") });
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), [
    "failed",
    "deadline",
    "the recipe was not done when its time was over",
  ]);
  assert.equal(result.ms, 3_000);
});

test("a step that is ended by the recipe's time limit names that limit", async () => {
  const recipe = scriptRecipe((t) => t.sleep("1m"), { timeout: literal("3s") });
  const result = await runEngine([recipe]);
  assert.equal(outcome(result)[1], "deadline");
  assert.equal(
    ends(result.events)[0]!.failure!.message,
    "not done when the recipe's time was over, after 3.00 s",
  );
});

test("a wait without answers that the recipe's time ends has lost its connection", async () => {
  let reads = 0;
  const job = { id: "job_1", name: "noop", state: "pending" };
  const client = {
    enqueue: () => Promise.resolve({ job_id: "job_1", queue: "default" }),
    job: () => ({ events: () => ({ [Symbol.asyncIterator]: () => ({ next: hangs }) }) }),
    getJob: () => reads++ === 0 ? Promise.resolve(job) : hangs(),
  };
  function hangs(): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>();
    signal!.addEventListener("abort", () => reject(signal!.reason));
    return promise;
  }
  let signal: AbortSignal | undefined;
  const recipe = scriptRecipe(async (t) => {
    signal = t.signal;
    await t.wait(await t.enqueue("noop"));
  }, { timeout: literal("4s") });
  const result = await runEngine([recipe], { client });
  assert.deepEqual(outcome(result), [
    "errored",
    "connection",
    "the connection was lost while waiting for job `noop` (job_1)",
  ]);
  assert.equal(result.exitCode, 3);
});

test("an interruption of the run interrupts the case", async () => {
  const stop = new AbortController();
  const recipe = scriptRecipe(async (t) => {
    t.assert(true);
    stop.abort(new InterruptedError("SIGTERM"));
    await new Promise(() => {});
  });
  const result = await runEngine([recipe], { signal: stop.signal });
  assert.deepEqual(outcome(result), ["interrupted", "interrupted", "Interrupted by SIGTERM"]);
});

test("a failure interrupts the steps that still run", async () => {
  const recipe = scriptRecipe(async (t) => {
    void t.sleep("1m");
    await t.sleep("1s");
    t.assert(false, "no");
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["failed", "assertion", "the assertion failed: no"]);
  assert.equal(result.ms, 1_000);
  const interrupted = ends(result.events).find(({ status }) => status === "interrupted")!;
  assert.equal(interrupted.failure!.message, "the recipe has already failed");
  assert.deepEqual(warnings(result), []);
});

test("steps that are not awaited are waited for, with a warning", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    void t.sleep("2s");
    void t.sleep("1s", { name: "a short pause" });
  }, IN_THIS_FILE);
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["passed", undefined, undefined]);
  assert.equal(result.ms, 2_000);
  assert.equal(warnings(result).length, 2);
  assert.match(warnings(result)[0]!, /^`sleep 2s` is not awaited \(here\.ts:\d+\)$/);
  assert.match(warnings(result)[1]!, /^`a short pause` is not awaited \(here\.ts:\d+\)$/);
});

test("the signal of the function aborts when the recipe has ended", async () => {
  let signal: AbortSignal | undefined;
  const seen: unknown[] = [];
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    signal = t.signal;
    seen.push(signal.aborted);
    t.always(() => void seen.push(signal!.aborted, t.signal.aborted));
  });
  await runEngine([recipe]);
  assert.deepEqual(seen, [false, true, false]);
  assert.equal((signal!.reason as Error).message, "Interrupted by the recipe's end");
});

test("clean-up functions run in `always`, the last one first", async () => {
  const recipe = scriptRecipe(async (t) => {
    t.always(() => t.log("first"));
    t.always(async () => {
      await t.sleep("1s");
      t.log("last");
    });
    await t.sleep("1s");
    t.assert(true);
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(ofType(result, "log").map(({ text }) => text), ["last", "first"]);
  assert.deepEqual(
    ends(result.events).map(({ label, phase }) => `${label} ${phase}`),
    ["sleep 1s steps", "assert steps", "sleep 1s always"],
  );
});

test("an error of a clean-up function fails the case, and the others still run", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => t.log("still"));
    t.always(() => {
      throw new Error("not cleaned up");
    });
  }, IN_THIS_FILE);
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["failed", "thrown", "not cleaned up"]);
  const { place } = ofType(result, "case.finished")[0]!.failure!;
  assert.match(place!.text, /throw new Error\("not cleaned up"\)/);
  assert.deepEqual(ofType(result, "log").map(({ text }) => text), ["still"]);
  assert.deepEqual(warnings(result), []);
});

test("an error of a clean-up function after a failure is a warning", async () => {
  const recipe = scriptRecipe((t) => {
    t.always(() => Promise.reject("not cleaned up"));
    t.assert(false, "no");
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(outcome(result), ["failed", "assertion", "the assertion failed: no"]);
  assert.deepEqual(warnings(result), ["clean-up failed: the recipe threw not cleaned up"]);
});

test("clean-up functions have ten seconds together", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => t.log("not this"));
    t.always(() => new Promise(() => {}));
    t.always(() => t.sleep("4s"));
  });
  const result = await runEngine([recipe]);
  assert.equal(result.ms, 10_000);
  assert.deepEqual(outcome(result), ["failed", "deadline", "the time of `always` is over"]);
  assert.deepEqual(ofType(result, "log"), []);
});

test("a step that ends with the time for clean-up functions is the failure of the case", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => t.sleep("1h"));
  });
  const result = await runEngine([recipe]);
  assert.equal(ofType(result, "case.finished")[0]!.failure!.step, "2");
});

test("an error of a clean-up function starts the next one at once, whatever still runs", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => t.log("next"));
    t.always(() => {
      void t.sleep("2s");
      throw new Error("no");
    });
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(ofType(result, "log").map(result.at), [0]);
  assert.equal(result.ms, 2_000);
});

test("steps that a clean-up function does not await are waited for", async () => {
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => void t.sleep("2s"));
  });
  const result = await runEngine([recipe]);
  assert.deepEqual(ends(result.events).map(({ status }) => status), ["passed", "passed"]);
  assert.equal(result.ms, 2_000);
});

test("nothing that the recipe does after its end is reported", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  const recipe = scriptRecipe((t) => {
    t.assert(true);
    t.always(() => {
      late = promise.then(() => t.log("too late"));
    });
  });
  const result = await runEngine([recipe]);
  const count = result.events.length;
  resolve();
  await late;
  assert.equal(result.events.length, count);
});

test("the function is not called if its channels cannot be subscribed to", async () => {
  let isCalled = false;
  const recipe = scriptRecipe((_t: Script) => {
    isCalled = true;
  }, { channels: new Set(["jobs"]) });
  const client = {
    subscribe: () =>
      Object.assign(Promise.reject(new Error("no such channel")), {
        unsubscribe: () => Promise.resolve(),
      }),
  };
  const result = await runEngine([recipe], { client });
  assert.deepEqual(outcome(result), ["failed", "thrown", "no such channel"]);
  assert.equal(isCalled, false);
});

test("clean-up functions run after an interruption, which does not end them", async () => {
  const stop = new AbortController();
  const recipe = scriptRecipe(async (t) => {
    t.always(() => t.sleep("2s"));
    stop.abort(new InterruptedError());
    await t.sleep("1m");
  });
  const result = await runEngine([recipe], { signal: stop.signal });
  assert.equal(outcome(result)[0], "interrupted");
  assert.equal(ends(result.events).at(-1)!.status, "passed");
  assert.equal(result.ms, 2_000);
});
