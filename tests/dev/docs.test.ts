import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FAULT_ACTIONS, QUIRKS } from "../../dev/mod.ts";

const guide = await readFile(new URL("../../docs/dev.md", import.meta.url), "utf8");

/** Returns the rows of the guide's table whose first column has this header, without padding. */
function tableRows(header: string): string[] {
  const lines = guide.split("\n").map((line) => line.replace(/ +\|/g, " |"));
  const first = lines.findIndex((line) => line.startsWith(`| ${header} |`)) + 2;
  return lines.slice(first, lines.indexOf("", first));
}

test("docs/dev.md lists every quirk with its description", () => {
  const expected = Object.entries(QUIRKS).map(([name, quirk]) =>
    `| \`${name}\` | ${quirk.default ? "on" : "off"} | ${quirk.on} | ${quirk.off} |`
  );
  assert.deepEqual(tableRows("quirk"), expected);
});

test("docs/dev.md lists every fault with its description", () => {
  const expected = Object.entries(FAULT_ACTIONS).map(([name, text]) => `| \`${name}\` | ${text} |`);
  assert.deepEqual(tableRows("`do`"), expected);
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
