import { deepEqual, equal, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { failingView, NOW, openPage, view } from "../health/_page.ts";
import { loadAxe, violations } from "./_axe.ts";
import { launch } from "./_page.ts";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("a thousand checks are shown at once, open by a click and change live", async () => {
  const many = Array.from({ length: 1_000 }, (_, i) => view(`c${i}`));
  await using served = await openPage(many);
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(served.url, { waitUntil: "load" });
  equal(await page.locator(".check").count(), 1_000);
  equal(await page.locator("#headline").textContent(), "All 1000 passing");
  served.source.change(failingView("c0", "<b>late</b> news"));
  await page.locator("#check-c0 .why").waitFor();
  equal(await page.locator("#check-c0 .why").textContent(), "<b>late</b> news");
  equal(await page.locator("#headline").textContent(), "1 of 1000 failing");
  await page.locator("#check-c0 .name").click();
  await page.locator(".diagnostics").waitFor();
  equal(await page.locator("h1").textContent(), "Check c0");
  served.source.change(view("c0", { maintenanceUntil: NOW, state: "maintenance" }));
  await page.locator("#details .headline", { hasText: "Maintenance until" }).waitFor();
  deepEqual(complaints, []);
  ok(requests.every((url) => url.startsWith(served.url)), requests.join("\n"));
  await context.close();
});

test("long words of names, files, tags and failures make no page wider than the window", async () => {
  const long = "x".repeat(200);
  const hostile = failingView("b", long);
  const check = { ...hostile.check, name: long, file: `${long}.yaml`, server: long, tags: [long] };
  await using served = await openPage([{ ...hostile, check }]);
  for (const width of [1280, 320]) {
    const context = await browser.newContext({ viewport: { width, height: 800 } });
    const page = await context.newPage();
    for (const path of ["/", "/checks/b"]) {
      await page.goto(served.url + path);
      equal(await page.evaluate("document.documentElement.scrollWidth"), width, path);
    }
    await context.close();
  }
});

test("without scripts the page shows the same", async () => {
  await using served = await openPage([view("a"), failingView("b")]);
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(served.url);
  equal(await page.locator(".check").count(), 2);
  await page.locator("#check-b .name").click();
  equal(await page.locator(".latency circle").count(), 60);
  await context.close();
});

test("a page that has lost its connection says so, and is loaded anew when it is back", async () => {
  const first = await openPage([view("a"), view("b")]);
  const { port } = new URL(first.url);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(first.url);
  await page.locator("#headline", { hasText: "All 2 passing" }).waitFor();
  equal(await page.locator("#offline").isVisible(), false);
  await first.close();
  await page.locator("#offline").waitFor();
  await using _second = await openPage([failingView("a")], { port: Number(port) });
  await page.locator("#headline", { hasText: "1 of 1 failing" }).waitFor();
  equal(await page.locator("#offline").isVisible(), false);
  equal(await page.locator(".check").count(), 1);
  await context.close();
});

test("a page whose session is gone with the schedule asks for the token again", async () => {
  const token = "s3cret";
  const first = await openPage([view("a")], { token });
  const { port } = new URL(first.url);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.clock.install();
  await page.goto(first.url);
  await page.locator("#token").fill(token);
  await page.locator("button").click();
  await page.locator("#headline").waitFor();
  await first.close();
  await page.locator("#offline").waitFor();
  await using _second = await openPage([view("a")], { token, port: Number(port) });
  const refused = page.waitForResponse((response) => response.url().endsWith("/live"));
  equal((await refused).status(), 401);
  await page.clock.runFor(30_000);
  await page.locator("#token").waitFor();
  await context.close();
});

test("after a log-out no other tab shows details any more", async () => {
  await using served = await openPage([failingView("b", "the failure")], { token: "s3cret" });
  const context = await browser.newContext();
  const [one, other] = [await context.newPage(), await context.newPage()];
  await one.goto(served.url);
  await one.locator("#token").fill("s3cret");
  await one.locator("button").click();
  await one.locator("#headline").waitFor();
  await other.goto(`${served.url}/checks/b`);
  await other.locator(".diagnostics").waitFor();
  await one.locator("header button").click();
  await one.locator("#token").waitFor();
  await other.locator("#token").waitFor();
  equal((await other.content()).includes("the failure"), false);
  await context.close();
});

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 320]) {
    test(`passes the checks of axe-core: ${colorScheme}, ${width} pixels wide`, async () => {
      const axe = await loadAxe();
      await using served = await openPage([view("a"), failingView("b")], { token: "s3cret" });
      const context = await browser.newContext({
        ...{ colorScheme, viewport: { width, height: 800 } },
      });
      const page = await context.newPage();
      await page.goto(served.url);
      deepEqual(await violations(page, axe), []);
      await page.locator("#token").fill("s3cret");
      await page.locator("button").click();
      await page.locator("#headline").waitFor();
      deepEqual(await violations(page, axe), []);
      await page.locator("#check-b .name").click();
      await page.locator("#details").waitFor();
      deepEqual(await violations(page, axe), []);
      await page.goto(`${served.url}/checks/none`);
      deepEqual(await violations(page, axe), []);
      await page.locator("a").click();
      await page.locator("#headline").waitFor();
      await context.close();
    });
  }
}
