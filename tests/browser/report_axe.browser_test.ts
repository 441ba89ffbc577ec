import { deepEqual } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { sampleRun } from "../report/_events.ts";
import { loadAxe, violations } from "./_axe.ts";
import { launch } from "./_page.ts";
import { openReport } from "./_report.ts";

let browser: Browser;
let axe: string;

before(async () => {
  axe = await loadAxe();
  browser = await launch();
});

after(() => browser?.close());

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 320]) {
    test(`passes the checks of axe-core: ${colorScheme}, ${width} pixels wide`, async () => {
      await using report = await openReport(browser, sampleRun({ interrupted: true }), {
        colorScheme,
        viewport: { width, height: 800 },
      });
      const { page } = report;
      deepEqual(await violations(page, axe), []);
      for (const number of [0, 1, 2]) {
        await page.goto(`${report.url}#case=${number}`);
        const closed = page.locator("details:not([open]) > summary");
        while (await closed.count() > 0) await closed.first().click();
        deepEqual(await violations(page, axe), []);
      }
      await page.keyboard.press("?");
      deepEqual(await violations(page, axe), []);
    });
  }
}
