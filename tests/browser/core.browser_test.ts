import { deepEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { bundle, launch, openPage, servePage } from "./_page.ts";
import { startCoreServer } from "./_server.ts";
import { SCENARIOS } from "./core.ts";

let browser: Browser;
let script: string;

before(async () => {
  script = await bundle();
  browser = await launch();
});

after(() => browser?.close());

test("the bundle imports nothing of Node, Deno or Bun", () => {
  deepEqual(script.match(/\b(?:require|import)\(["'`][^"'`]+["'`]\)|^import .* from .*$/gm), null);
});

test("the page runs in a browser", async () => {
  await using site = await servePage(script);
  const [page] = await openPage(browser, site.url);
  const found = await page.evaluate(() => ["process", "Deno", "Bun"].map((name) => name in window));
  deepEqual(found, [false, false, false]);
  await page.close();
});

for (const [name, { expected }] of Object.entries(SCENARIOS)) {
  test(name, async () => {
    await using env = await startCoreServer();
    await using site = await servePage(script);
    const [page, errors] = await openPage(browser, site.url);
    await page.exposeFunction("cut", env.cut);
    await page.exposeFunction("connections", env.connections);
    const result = await page.evaluate(
      ([name, url]) => runCore(name!, url!),
      [name, env.url],
    );
    deepEqual(result, expected);
    deepEqual(errors, []);
    await page.close();
  });
}
