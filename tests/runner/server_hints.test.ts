import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "../helpers/server.ts";
import { firstFailure, runRecipe } from "./_recipe.ts";

const START = "steps:\n  - id: o\n    start: order-paymnet\n  - wait: o\n";

test("an unknown workflow of a server with an admin API is met with a suggestion", async () => {
  await using server = await startServer();
  const { code, events } = await runRecipe(START, ["--url", server.url]);
  assert.equal(code, 3);
  const { message, lines, kind } = firstFailure(events);
  assert.match(message, /no workflow registered for "order-paymnet"$/);
  assert.deepEqual(lines, ["did you mean `order-payment`?"]);
  assert.equal(kind, "server");
  const other = await runRecipe(START.replace("order-paymnet", "x"), ["--url", server.url]);
  assert.match(firstFailure(other.events).lines[0]!, /^the server has batch-process, failing, /);
});

test("a computed name of an unknown workflow is met with a suggestion on the embedded server", async () => {
  const { events } = await runRecipe(START.replace("order-paymnet", '${{ "order-paymnet" }}'));
  assert.deepEqual(firstFailure(events).lines, ["did you mean `order-payment`?"]);
});

test("a wait says after three seconds without a change why that may be", async () => {
  const { events } = await runRecipe(`steps:
  - id: job
    enqueue: sleep
    payload: { ms: 8000 }
  - wait: job
    within: 5s
`);
  const progress = events.flatMap((event) => event.type === "step.progress" ? event.text : []);
  const hint =
    "running; likely cause: its handler is still running, or no worker has a handler for `sleep`";
  assert.equal(progress[0], "running");
  assert.ok(progress.includes(hint), progress.join("\n"));
});
