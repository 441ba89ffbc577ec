// `for_each: { items, parallel }`: several items at a time.
import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { RecipeEvent, RecipeRunFinished } from "../../runner/mod.ts";
import { reportOf } from "../report/_report.ts";
import { ends, runRecipe } from "./_recipe.ts";

const finished = (events: readonly RecipeEvent[]) =>
  ends(events).map(({ step, status }) => `${step} ${status}`);
const duration = (events: readonly RecipeEvent[]) =>
  (events.at(-1) as RecipeRunFinished).duration_ms;

/** The most steps of some number that ran at the same time. */
function mostAtATime(events: readonly RecipeEvent[], number: RegExp): number {
  let open = 0;
  let most = 0;
  for (const event of events) {
    if (!("step" in event) || !number.test(event.step)) continue;
    if (event.type === "step.started") most = Math.max(most, ++open);
    if (event.type === "step.finished") open--;
  }
  return most;
}

test("items run at the same time, and their results are in the order of the items", async () => {
  const { code, events, out } = await runRecipe(
    `
steps:
  - id: jobs
    for_each: { items: [300, 100, 200], parallel: 3 }
    enqueue: sleep
    payload: { ms: "\${{ item }}" }
  - for_each: { items: "\${{ jobs }}", parallel: 3 }
    wait: { job: "\${{ item.job_id }}" }
  - wait: jobs
  - assert: jobs.map(j, j.payload.ms) == [300, 100, 200]
`,
    ["--clock", "virtual"],
  );
  equal(code, 0, out);
  equal(mostAtATime(events, /^2\[/), 3);
});

test("the time is that of the longest item, and never more than N run", async () => {
  const recipe = (parallel: string) =>
    `steps:\n  - for_each: { items: [1, 1, 1, 1, 1]${parallel} }\n    sleep: 1h\n  - assert: true\n`;
  const times: [string, number, number][] = [["", 5, 1], [", parallel: 2", 3, 2], [
    ", parallel: 9",
    1,
    5,
  ]];
  for (const [parallel, hours, most] of times) {
    const { code, events } = await runRecipe(recipe(parallel), ["--clock", "virtual"]);
    equal(code, 0);
    equal(Math.round(duration(events) / 3_600_000), hours);
    equal(mostAtATime(events, /^1\[/), most);
  }
});

test("after a failure no item starts, those that run are stopped, and `always` sees the rest", async () => {
  const { code, events } = await runRecipe(
    `
steps:
  - id: all
    for_each: { items: [noop, nothing, noop, noop, noop], parallel: 3 }
    parallel:
      - enqueue: noop
      - sleep: '\${{ item == "nothing" ? "1s" : "1h" }}'
      - use: fail.yaml
        inputs: { item: "\${{ item }}" }
always:
  - log: cleaned up
`,
    ["--clock", "virtual"],
    {
      files: {
        "fail.yaml":
          "inputs: { item: { type: text } }\nsteps: [{ assert: inputs.item != 'nothing' }]\n",
      },
    },
  );
  equal(code, 1);
  const steps = finished(events);
  equal(steps.includes("1[0].2 interrupted"), true, steps.join());
  equal(steps.includes("1[2].2 interrupted"), true);
  equal(steps.includes("1[1].3 failed"), true);
  equal(steps.some((step) => /^1\[[34]\]/.test(step)), false);
  equal(duration(events) < 3_600_000, true);
  equal(events.some((event) => event.type === "log" && event.text === "cleaned up"), true);
  const end = events.find((event) => event.type === "case.finished")!;
  match(end.failure!.message, /^1 of 3 steps failed: /);
});

test("what items have left before a failure is kept for `always`", async () => {
  const { code, events } = await runRecipe(`
steps:
  - id: jobs
    for_each: { items: [noop, noop, ""], parallel: 2 }
    enqueue: \${{ item }}
always:
  - log: \${{ jobs.size() }} of three
    if: jobs.size() > 0
`);
  equal(code !== 0, true);
  match(JSON.stringify(events.filter(({ type }) => type === "log")), /[12] of three/);
});

test("soft items stop nothing, and each item has its own retries", async () => {
  const { code, events } = await runRecipe(`
steps:
  - for_each: { items: [1, 2, 3], parallel: 2 }
    assert: item != 1
    soft: true
    retry: { attempts: 2, backoff: 1ms }
  - assert: true
`);
  equal(code, 0);
  deepEqual(finished(events).toSorted(), [
    ...["1[0] failed", "1[1] passed", "1[2] passed", "2 passed"],
  ]);
  equal(ends(events).find(({ step }) => step === "1[0]")!.attempts, 2);
});

test("the recipe's time and `within` hold for each item", async () => {
  const { code, events } = await runRecipe(
    `timeout: 1m\nsteps:\n  - for_each: { items: [1, 2], parallel: 2 }\n    sleep: 1h\n`,
    ["--clock", "virtual"],
  );
  equal(code, 1);
  match(ends(events)[0]!.failure!.message, /not done when the recipe's time was over/);
  const within = await runRecipe(
    `steps:\n  - for_each: { items: [1, 2], parallel: 2 }\n    sleep: 1h\n    within: 5s\n`,
    ["--clock", "virtual"],
  );
  match(ends(within.events)[0]!.failure!.message, /^not done within 5s$/);
});

test("used recipes run at the same time, with steps of their own numbers", async () => {
  const files = {
    "one.yaml": "inputs: { n: { type: integer } }\noutputs: { twice: inputs.n * 2 }\n" +
      "steps:\n  - sleep: 1s\n  - assert: inputs.n > 0\n",
  };
  const { code, events, out } = await runRecipe(
    `
steps:
  - id: all
    for_each: { items: [1, 2, 3], parallel: 3 }
    use: one.yaml
    inputs: { n: "\${{ item }}" }
  - assert: all.map(one, one.twice) == [2, 4, 6]
`,
    ["--clock", "virtual"],
    { files },
  );
  equal(code, 0, out);
  deepEqual(finished(events).filter((step) => step.includes(".2 ")).toSorted(), [
    ...["1[0].2 passed", "1[1].2 passed", "1[2].2 passed"],
  ]);
  const { cases: [summary] } = JSON.parse(await reportOf("json", events));
  equal(summary.steps.every(({ status }: { status: string }) => status === "passed"), true);
});

test("refuses numbers of items that are none, and unknown keys", async () => {
  const wrong: [string, RegExp][] = [
    ["{ items: [1], parallel: 0 }", /`parallel` must be at least 1/],
    ["{ items: [1], parallel: two }", /`parallel` must be a whole number/],
    ["{ parallel: 2 }", /needs `items`/],
    ["{ items: [1], paralel: 2 }", /unknown key `paralel`/],
    ["{ items: 7 }", /list/],
  ];
  for (const [value, message] of wrong) {
    const { code, err } = await runRecipe(`steps:\n  - for_each: ${value}\n    assert: true\n`);
    equal(code, 2);
    match(err, message);
  }
  const { code, events } = await runRecipe(
    "vars: { n: 0 }\nsteps:\n  - for_each: { items: [1], parallel: '${{ vars.n }}' }\n    assert: true\n",
  );
  equal(code, 1);
  match(ends(events)[0]!.failure!.message, /`parallel` must be at least 1, not 0/);
});

test("whatever the items take, their results are in order and no more than N run", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (items, parallel) => {
        const { code, events, out } = await runRecipe(
          `
steps:
  - id: all
    for_each: { items: ${JSON.stringify(items)}, parallel: ${parallel} }
    use: one.yaml
    inputs: { ms: "\${{ item }}" }
  - assert: all.map(one, one.ms) == ${JSON.stringify(items)}
`,
          ["--clock", "virtual"],
          {
            files: {
              "one.yaml": "inputs: { ms: { type: number } }\noutputs: { ms: inputs.ms }\n" +
                "steps: [{ sleep: '${{ string(int(inputs.ms)) + \"ms\" }}' }, { assert: true }]\n",
            },
          },
        );
        equal(code, 0, out);
        equal(mostAtATime(events, /^1\[\d+\]$/) <= parallel, true);
        const longest = Math.max(...items);
        equal(duration(events) >= longest, true);
        if (parallel >= items.length) equal(duration(events) < longest + 1000, true);
      },
    ),
    { numRuns: 15 },
  );
});
