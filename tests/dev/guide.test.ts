import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestDispatch } from "../../testing/mod.ts";
import { order } from "./guide_orders.ts";

test("an order that is not paid in time fails", async () => {
  await using env = await createTestDispatch({ workflows: [order] });
  const run = await env.client.startWorkflow("order", { order_id: "1" });
  await env.event("workflow.step_completed"); // reserved
  await env.advance("5m");
  const { error } = await env.failed(run);
  assert.equal(error, "payment timed out");
});
