import { deepEqual, equal, match, notDeepEqual, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { manyCases, sampleRun } from "../report/_events.ts";
import { launch } from "./_page.ts";
import { openReport, styleOf } from "./_report.ts";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

/** The name of the case in the current row. */
async function currentRow(page: Page): Promise<string | null> {
  const id = await page.locator(".list").getAttribute("aria-activedescendant");
  return await page.locator(`#${id} .row-name`).textContent();
}

test("finds, opens and closes a case by keyboard", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  await page.keyboard.press("/");
  equal(await page.getByRole("searchbox").evaluate((field) => field.matches(":focus")), true);
  await page.keyboard.type("recipes/");
  await page.keyboard.press("ArrowDown");
  equal(await currentRow(page), "Order smoke");
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("k");
  match(await currentRow(page) ?? "", /^Payment/);
  equal(await page.locator(".case").count(), 0);
  await page.keyboard.press("Enter");
  equal(await page.locator(".case").getAttribute("data-case"), "2");
  equal(await page.locator(".case h2").evaluate((title) => title.matches(":focus")), true);
  await page.keyboard.press("j");
  equal(await page.locator(".case").getAttribute("data-case"), "3");
  await page.keyboard.press("Escape");
  equal(await page.locator(".case").count(), 0);
  equal(await currentRow(page), "Refused");
  equal(await page.getByRole("searchbox").inputValue(), "recipes/");
  await page.keyboard.press("Escape");
  equal(await page.getByRole("searchbox").inputValue(), "");
  await page.keyboard.press("End");
  equal(await currentRow(page), "Not started");
  await page.keyboard.press("n");
  equal(await page.locator(".case").getAttribute("data-case"), "2");
});

test("opens the first match on Enter in the search field", async () => {
  await using report = await openReport(browser, sampleRun());
  await report.page.keyboard.press("/");
  await report.page.keyboard.type("refused");
  await report.page.keyboard.press("Enter");
  equal(await report.page.locator(".case").getAttribute("data-case"), "3");
});

test("opens and closes a step by keyboard", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=0" });
  const { page } = report;
  await page.locator(".tl-label").nth(1).focus();
  await page.keyboard.press("Enter");
  const summary = page.locator(".step summary").nth(1);
  equal(await summary.evaluate((one) => one.matches(":focus")), true);
  await page.keyboard.press("Space");
  equal(await page.locator(".step details").nth(1).getAttribute("open"), null);
});

test("ignores shortcuts typed into the search field", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  await page.getByRole("searchbox").click();
  await page.keyboard.type("jk?tn/");
  equal(await page.getByRole("searchbox").inputValue(), "jk?tn/");
  equal(await page.locator("dialog[open]").count(), 0);
  await page.keyboard.press("Escape");
  equal(await page.getByRole("searchbox").inputValue(), "");
});

test("shows and closes the list of shortcuts", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  await page.keyboard.press("?");
  match(
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).textContent() ?? "",
    /Esc.*close the case/,
  );
  await page.keyboard.press("j");
  await page.keyboard.press("Escape");
  equal(await page.locator("dialog[open]").count(), 0);
  equal(await currentRow(page), "Order smoke");
});

test("scrolls the current row into view in a long list", async () => {
  await using report = await openReport(browser, manyCases(1000));
  const { page } = report;
  await page.locator(".list").focus();
  for (let i = 0; i < 40; i++) await page.keyboard.press("j");
  const row = page.locator("#case-40");
  const [list, box] = [await page.locator(".list").boundingBox(), await row.boundingBox()];
  ok(box!.y >= list!.y - 1 && box!.y + box!.height <= list!.y + list!.height + 1);
  equal(await styleOf(row, "outline-style"), "solid");
  equal(await row.getAttribute("aria-posinset"), "41");
  equal(await row.getAttribute("aria-setsize"), "1000");
  await page.keyboard.press("End");
  equal(await currentRow(page), "Case 999");
});

test("follows the colour scheme of the system, and remembers a switch", async () => {
  const shots: string[] = [];
  const grounds: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await using report = await openReport(browser, sampleRun(), { colorScheme });
    const { page, complaints } = report;
    shots.push((await page.screenshot()).toString("base64"));
    grounds.push(await styleOf(page.locator("html"), "background-color"));
    await page.getByRole("button", { name: "Switch between light and dark" }).click();
    grounds.push(await styleOf(page.locator("html"), "background-color"));
    await page.reload();
    grounds.push(await styleOf(page.locator("html"), "background-color"));
    deepEqual(complaints, []);
  }
  notDeepEqual(shots[0], shots[1]);
  const [light, changed, kept, dark] = grounds;
  ok(light !== dark);
  deepEqual([changed, kept, grounds[4], grounds[5]], [dark, dark, light, light]);
});

test("replaces the list with the open case on a narrow screen, without horizontal scrolling", async () => {
  await using report = await openReport(browser, sampleRun(), {
    viewport: { width: 320, height: 600 },
  });
  const { page } = report;
  const fits = () => page.evaluate("document.documentElement.scrollWidth <= innerWidth");
  equal(await fits(), true);
  equal(await page.locator(".list").isVisible(), true);
  await page.locator("#case-2").click();
  equal(await page.locator(".list").isVisible(), false);
  equal(await fits(), true);
  await page.getByRole("button", { name: "All cases" }).click();
  equal(await page.locator(".list").isVisible(), true);
});

test("prints every case, without controls", async () => {
  await using report = await openReport(browser, manyCases(300));
  const { page } = report;
  await page.emulateMedia({ media: "print" });
  equal(await page.locator(".toolbar").isVisible(), false);
  await page.evaluate("dispatchEvent(new Event('beforeprint'))");
  equal(await page.locator(".row").count(), 300);
  await page.evaluate("dispatchEvent(new Event('afterprint'))");
});

test("animates only if the system does not ask for reduced motion", async () => {
  const duration = async (reducedMotion: "reduce" | "no-preference") => {
    await using report = await openReport(browser, sampleRun(), { reducedMotion });
    return await styleOf(report.page.locator(".row").first(), "transition-duration");
  };
  equal(await duration("reduce"), "0s");
  equal(await duration("no-preference"), "0.08s");
});
