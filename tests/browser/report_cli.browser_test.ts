import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { systemClock } from "../../runtime/clock.ts";
import { runnerCli } from "../runner/_cli.ts";
import { launch } from "./_page.ts";
import { openReport, texts } from "./_report.ts";

const RECIPES = fileURLToPath(new URL("../../recipes", import.meta.url));
const EXPLORED = fileURLToPath(new URL("../runner/explore/charged_twice/", import.meta.url));

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("opens the report of a real run, with a timeline for each case", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-html-"));
  try {
    const file = join(folder, "report.html");
    const { code, err } = await runnerCli(["run", RECIPES, "--reporter", `html=${file}`]);
    equal(code, 0, err);
    await using report = await openReport(browser, await readFile(file, "utf8"));
    const { page, complaints } = report;
    equal(await page.locator("h1").textContent(), "Passed");
    deepEqual(await texts(page, ".row-name"), ["Failed job", "Order payment", "Order smoke"]);
    await page.locator("#case-1").click();
    deepEqual(await texts(page, ".tl-name"), [
      "start order-payment",
      "wait for order to reach step reserve",
      "publish payment-received",
      "wait for order until completed",
      "assert 4 things",
    ]);
    match(await page.locator(".tl-row").nth(3).textContent() ?? "", /completed.*ship/s);
    await page.locator("#case-2").click();
    equal(await page.locator(".tl-divider").textContent(), "always");
    deepEqual(complaints, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("opens the report of a failure that was explored, with its faults and the command", async () => {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-html-"));
  try {
    const file = join(folder, "report.html");
    const { code, out, err } = await runnerCli([
      ...["explore", join(EXPLORED, "recipe.yaml"), "--dev", join(EXPLORED, "bug.ts"), "--bail"],
      ...["--reporter", `html=${file}`],
    ], { clock: systemClock });
    equal(code, 1, err);
    await using report = await openReport(browser, await readFile(file, "utf8"));
    const { page, complaints } = report;
    equal(await page.locator("h1").textContent(), "Failed");
    await page.locator("#case-0").click();
    const text = await page.locator("main").innerText();
    const [, fault] = /\s(step charge of .*)$/m.exec(out)!;
    const [, command] = /Repeat it: (.*)/.exec(out)!;
    ok(text.includes(`: ${fault}`), text);
    ok(text.includes(`repeat it: ${command}`), text);
    match(text, /`audit\.steps\.exists\(.*\)` is false/);
    deepEqual(complaints, []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
