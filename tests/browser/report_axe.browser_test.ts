import { deepEqual, ok } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { sampleRun } from "../report/_events.ts";
import { launch } from "./_page.ts";
import { openReport } from "./_report.ts";

let browser: Browser;
let axe: string;

before(async () => {
  axe = await readFile(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  browser = await launch();
});

after(() => browser?.close());

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Runs axe-core by evaluation, as the policy of the page forbids adding a script. */
async function violations(page: Page): Promise<string[]> {
  const { passes, violations } = await page.evaluate(`${axe}; axe.run()`) as {
    passes: unknown[];
    violations: Violation[];
  };
  ok(passes.length > 10, "axe checked too little");
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html}: ${failureSummary}`)
  );
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 320]) {
    test(`passes the checks of axe-core: ${colorScheme}, ${width} pixels wide`, async () => {
      await using report = await openReport(browser, sampleRun({ interrupted: true }), {
        colorScheme,
        viewport: { width, height: 800 },
      });
      const { page } = report;
      deepEqual(await violations(page), []);
      for (const number of [0, 1, 2]) {
        await page.goto(`${report.url}#case=${number}`);
        const closed = page.locator("details:not([open]) > summary");
        while (await closed.count() > 0) await closed.first().click();
        deepEqual(await violations(page), []);
      }
      await page.keyboard.press("?");
      deepEqual(await violations(page), []);
    });
  }
}
