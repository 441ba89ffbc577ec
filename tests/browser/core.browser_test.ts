import { deepEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { bundle, launch, openPage, servePage } from "./_page.ts";
import { startCoreServer } from "./_server.ts";
import { type Env, SCENARIOS } from "./core.ts";

let browser: Browser;
let script: string;
/** The page of all scenarios: each loads it anew, for a server of its own. */
let page: Page;
let errors: Error[];
let env: Env;

before(async () => {
  script = await bundle();
  browser = await launch();
  [page, errors] = await openPage(browser, "about:blank");
  await page.exposeFunction("cut", () => env.cut());
  await page.exposeFunction("connections", () => env.connections());
});

after(() => browser?.close());

test("the bundle imports nothing of Node, Deno or Bun", () => {
  deepEqual(script.match(/\b(?:require|import)\(["'`][^"'`]+["'`]\)|^import .* from .*$/gm), null);
});

test("the page runs in a browser", async () => {
  await using site = await servePage(script);
  await page.goto(site.url, { waitUntil: "load" });
  const found = await page.evaluate(() => ["process", "Deno", "Bun"].map((name) => name in window));
  deepEqual(found, [false, false, false]);
});

for (const [name, { expected }] of Object.entries(SCENARIOS)) {
  test(name, async () => {
    await using server = await startCoreServer();
    await using site = await servePage(script);
    env = server;
    await page.goto(site.url, { waitUntil: "load" });
    const result = await page.evaluate(
      ([name, url]) => runCore(name!, url!),
      [name, env.url],
    );
    deepEqual(result, expected);
    deepEqual(errors.splice(0), []);
  });
}
