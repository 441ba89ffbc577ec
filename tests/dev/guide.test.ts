import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
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

test("the guide shows this very test and its workload", async () => {
  const guide = await readFile(new URL("../../docs/dev.md", import.meta.url), "utf8");
  const shown = async (name: string): Promise<string> => {
    const text = await readFile(new URL(name, import.meta.url), "utf8");
    return text
      .replace(/\ntest\("the guide shows[\s\S]*$/, "")
      .replace('import { readFile } from "node:fs/promises";\n', "")
      .replace("../../dev/mod.ts", "@dispatch/sdk/dev")
      .replace("../../testing/mod.ts", "@dispatch/sdk/testing")
      .replace("./guide_orders.ts", "./orders.ts");
  };
  // The second imports the first, so that `deno test --doc` cannot run it.
  const shownFiles = { "guide_orders.ts": "ts", "guide.test.ts": "ts ignore" };
  for (const [name, fence] of Object.entries(shownFiles)) {
    assert.ok(guide.includes(`\`\`\`${fence}\n${await shown(name)}\`\`\`\n`), name);
  }
});
