import assert from "node:assert/strict";
import { test } from "node:test";
import { delay, systemClock } from "../../runtime/clock.ts";
import { withLongTimers } from "../../runtime/long_timers.ts";
import { runCases } from "../../runner/engine/run.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { readRecipe } from "../../runner/recipe/read_recipe.ts";
import type { RunnerClient } from "../../runner/steps/context.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

/** Runs a recipe that needs no server on a fake clock, and returns how long it took there. */
async function runOnFakeClock(text: string, files: Record<string, string> = {}) {
  const load = (name: string) => Promise.resolve({ name, text: files[name]! });
  const { recipe, diagnostics } = await readRecipe("r.yaml", text, { load });
  assert.ok(recipe, diagnostics[0]?.message ?? "it has errors");
  const clock = new FakeClock();
  const began = clock.now();
  const events: RecipeEvent[] = [];
  const running = runCases([{ recipe }], {
    client: {} as RunnerClient,
    report: (event) => void events.push(event),
    server: "none",
    clock,
    random: Math.random,
    env: () => undefined,
    signal: new AbortController().signal,
  });
  const { exitCode } = await clock.runUntil(running, 100);
  return { exitCode, events, ms: clock.now() - began };
}

test("splits a timer that is too long for the runtime", async () => {
  const fake = new FakeClock();
  const set: number[] = [];
  const clock = withLongTimers({
    now: () => fake.now(),
    setTimeout(callback, ms) {
      set.push(ms);
      return fake.setTimeout(callback, ms);
    },
    clearTimeout: (timer) => fake.clearTimeout(timer),
  });
  const long = delay(2 ** 32, { clock });
  fake.advance(2 ** 31);
  clock.clearTimeout(clock.setTimeout(() => assert.fail("it was cleared"), 2 ** 31));
  set.pop();
  fake.advance(2 ** 31);
  await long;
  assert.deepEqual(set, [2 ** 31 - 1, 2 ** 31 - 1, 2]);
  assert.equal(fake.pending, 0);
});

test("a sleep longer than the runtime's timers does not end at once", async () => {
  const stop = new AbortController();
  const recipe = "timeout: 2000h\nsteps:\n  - sleep: 1000h\n  - assert: true\n";
  const { code } = await runRecipe(recipe, [], {
    // With a fake clock, timers that are too long would not fire at once.
    clock: systemClock,
    signal: stop.signal,
    onOut: (text) => void (text.includes('"step.started"') && setTimeout(() => stop.abort(), 20)),
  });
  assert.equal(code, 130);
});

test("a soft step fails the recipe when the recipe's time is over, but not when its own is", async () => {
  const steps = "  - assert: true\n  - sleep: 1m\n    soft: true\n";
  const late = await runOnFakeClock(`timeout: 1s\nsteps:\n${steps}`);
  assert.equal(late.exitCode, 1);
  assert.equal(ends(late.events).at(-1)?.soft, false);
  assert.match(firstFailure(late.events).message, /^not done when the recipe's time was over/);
  const own = await runOnFakeClock(`timeout: 10s\nsteps:\n${steps}    within: 1s\n`);
  assert.equal(own.exitCode, 0);
});

test("the clean-up of a used recipe shares the time of the outer recipe", async () => {
  const files = { "inner.yaml": "steps:\n  - assert: true\nalways:\n  - sleep: 1h\n" };
  const cleaning = await runOnFakeClock(
    "steps:\n  - assert: true\nalways:\n  - sleep: 6s\n  - use: inner.yaml\n",
    files,
  );
  assert.ok(cleaning.ms < 11_000, `${cleaning.ms} ms`);
  const stopped = await runOnFakeClock(
    "timeout: 1s\nsteps:\n  - use: stopped.yaml\nalways:\n  - sleep: 1h\n",
    { "stopped.yaml": "steps:\n  - sleep: 1h\n  - assert: true\nalways:\n  - sleep: 6s\n" },
  );
  assert.ok(stopped.ms < 12_000, `${stopped.ms} ms`);
});

test("names the limit that has ended a step of a used recipe", async () => {
  const { events } = await runOnFakeClock("steps:\n  - use: inner.yaml\n    within: 500ms\n", {
    "inner.yaml": "steps:\n  - sleep: 1h\n  - assert: true\n",
  });
  assert.match(
    firstFailure(events).message,
    /^not done when `within: 500ms` of the outer step was over/,
  );
});

test("a `for_each` that fails keeps the results of the earlier items", async () => {
  const { events } = await runRecipe(`
steps:
  - id: jobs
    for_each: [5, 4, x]
    enqueue: noop
    priority: \${{ int(item) }}
  - wait: jobs
always:
  - if: size(jobs) == 2
    log: two are left
`);
  assert.ok(events.some((e) => e.type === "log" && e.text === "two are left"));
});

test("reports an output without a value at its place in the used recipe", async () => {
  const { events } = await runRecipe("steps:\n  - use: inner.yaml\n    id: u\n", [], {
    files: {
      "inner.yaml":
        "name: Inner\noutputs:\n  total: job.payload.total\nsteps:\n  - id: job\n    enqueue: noop\n    payload: { a: 1 }\n  - wait: job\n",
    },
  });
  const { message, place } = firstFailure(events);
  assert.match(message, /^output `total` of 'Inner': /);
  assert.match(place!.file, /inner\.yaml$/);
  assert.deepEqual([place!.line, place!.text], [3, "  total: job.payload.total"]);
});

test("shows why the attempt before failed when the deadline ends a retry", async () => {
  const { events } = await runOnFakeClock(`
timeout: 10s
vars: { n: 0 }
steps:
  - parallel:
      - if: vars.n > 1
        sleep: 1h
      - set: { n: "\${{ vars.n + 1 }}" }
      - assert: 1 == 2
    retry: { attempts: 9, backoff: 1s }
`);
  const { kind, lines } = ends(events).at(-1)!.failure!;
  assert.equal(kind, "deadline");
  assert.match(lines.at(-1)!, /^attempt \d: 1 of 3 steps failed: /);
});
