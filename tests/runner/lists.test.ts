import assert from "node:assert/strict";
import { test } from "node:test";
import { Results } from "../../runner/events/results.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

test("waits for every item, and updates each result", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: jobs
    for_each: [1, 2, 3]
    enqueue: noop
    payload: { n: "\${{ item }}" }
  - id: all
    wait: jobs
  - assert:
      - jobs.all(j, j.state == "completed" && has(j.completed_at))
      - jobs[1].payload.n == 2
      - all.outcome == "reached" && size(all.states) == 3 && all.states[2].state == "completed"
`);
  assert.equal(code, 0, out);
});

test("waits for a list of runs, and for a checkpoint of each", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: runs
    for_each: [a, b]
    start: order-payment
  - wait: runs
    until_step: reserve
  - for_each: \${{ runs }}
    publish: payment-received
  - wait: runs
  - assert: runs.all(r, r.state == "completed" && size(r.steps) == 3)
`);
  assert.equal(code, 0, out);
});

test("names the item that ends in another state", async () => {
  const { code, events } = await runRecipe(`steps:
  - id: jobs
    for_each: [noop, always-fails, noop]
    enqueue: \${{ item }}
  - wait: jobs
`);
  assert.equal(code, 1);
  const { kind, message, lines } = firstFailure(events);
  assert.equal(kind, "wait");
  assert.match(message, /^`jobs\[1\]`: job `always-fails` \(.*\) is failed, not completed: boom$/);
  assert.equal(lines.at(-1), "1 of 3 were done before it");
});

test("a wait for a list has one deadline for all items, and names the item that missed it", async () => {
  const { events } = await runRecipe(`steps:
  - id: runs
    for_each: [1, 2]
    start: order-payment
  - publish: payment-received
  - wait: runs
    within: 100ms
`);
  const { kind, message, lines } = firstFailure(events);
  assert.equal(kind, "deadline");
  assert.match(message, /^`runs\[1\]`: run `order-payment` \(.*\) is still running after/);
  assert.ok(lines.some((line) => line.startsWith("likely cause")));
  assert.equal(lines.at(-1), "1 of 2 were done before it");
});

test("a wait for an empty list does not count as a check", async () => {
  const { code, events } = await runRecipe(
    "steps:\n  - id: jobs\n    for_each: []\n    enqueue: noop\n  - wait: jobs\n",
  );
  assert.equal(code, 4);
  assert.equal(ends(events).at(-1)?.detail, "nothing to wait for");
});

test("does not wait for skipped items", async () => {
  const { code, out } = await runRecipe(`steps:
  - id: jobs
    for_each: [1, 2, 3]
    if: item != 2
    enqueue: noop
  - wait: jobs
    until: \${{ it.state == "completed" }}
  - assert: size(jobs) == 2
`);
  assert.equal(code, 0, out);
});

test("converts a result for CEL only when an expression uses it", () => {
  let conversions = 0;
  const item = {
    get state() {
      conversions++;
      return "running";
    },
  };
  const results = new Results({});
  results.setList("jobs", [item], []);
  for (let i = 0; i < 10; i++) results.changed();
  assert.equal(conversions, 0);
  const inner = results.child();
  assert.deepEqual(inner.values().jobs, [{ state: "running" }]);
  assert.equal(inner.values().jobs, results.values().jobs);
  assert.equal(conversions, 1);
  results.changed();
  assert.deepEqual(inner.values().jobs, [{ state: "running" }]);
  assert.equal(conversions, 2);
});
