import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { withDevTables } from "./_docs_tables.ts";

const guide = await readFile(new URL("../../docs/dev.md", import.meta.url), "utf8");

test("docs/dev.md lists every quirk and fault with its description", () => {
  assert.equal(guide, withDevTables(guide), "run `deno task update dev`");
});

test("the examples of docs/dev.md are the files that the tests run", async () => {
  // The second example imports the first, so `deno test --doc` must ignore it.
  const fences = { "guide_orders.ts": "ts", "guide.test.ts": "ts ignore" };
  for (const [name, fence] of Object.entries(fences)) {
    const text = await readFile(new URL(name, import.meta.url), "utf8");
    const example = text
      .replace("../../dev/mod.ts", "@dispatch/sdk/dev")
      .replace("../../testing/mod.ts", "@dispatch/sdk/testing")
      .replace("./guide_orders.ts", "./orders.ts");
    assert.ok(guide.includes(`\`\`\`${fence}\n${example}\`\`\`\n`), name);
  }
});
