import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Locator } from "playwright-core";
import type { RecipeEvent } from "../../runner/mod.ts";
import { at, manyCases, sampleRun } from "../report/_events.ts";
import { launch } from "./_page.ts";
import { openReport, styleOf } from "./_report.ts";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

async function boxOf(locator: Locator): Promise<Box> {
  const box = await locator.boundingBox();
  ok(box, "the element is not visible");
  return box;
}

function near(actual: number, expected: number, by = 2): void {
  ok(Math.abs(actual - expected) <= by, `${actual} is not ${expected}`);
}

test("draws bars, states and checkpoints at their times", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=0" });
  const { page } = report;
  const axis = await boxOf(page.locator(".ticks"));
  const xOf = (ms: number) => axis.x + ms / 910 * axis.width;
  const row = (n: number) => page.locator(".tl-row").nth(n);
  const start = await boxOf(row(0).locator('[data-part="step"]'));
  near(start.x, xOf(1));
  near(start.width, 199 / 910 * axis.width);
  const wait = await boxOf(row(1).locator('[data-part="step"]'));
  near(wait.x, xOf(205));
  near(wait.x + wait.width, xOf(900));
  const running = row(1).locator('[data-part="state"][data-name="running"]');
  near((await boxOf(running)).x, xOf(210));
  near((await boxOf(running)).width, 690 / 910 * axis.width);
  equal(await running.textContent(), "running");
  equal(await row(1).locator('[data-part="state"]').last().getAttribute("data-name"), "completed");
  match(await row(1).locator(".bars").textContent() ?? "", /completed/);
  for (
    const [name, ms] of [["reserve", 290], ["wait:payment-received", 640], ["ship", 870]] as const
  ) {
    const mark = await boxOf(row(1).locator(`.mark[data-name="${name}"]`));
    near(mark.x + mark.width / 2, xOf(ms), 3);
    ok(mark.y > wait.y + wait.height, "a checkpoint is not below its wait");
  }
  deepEqual(await row(1).locator(".mark-label").allTextContents(), [
    "reserve",
    "wait:payment-received",
    "ship",
  ]);
  equal(await page.locator(".tl-divider").textContent(), "always");
  equal(await row(2).locator(".bar").count(), 0);
});

test("draws ticks on the same axis as the bars", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=0" });
  const { page } = report;
  const axis = await boxOf(page.locator(".ticks"));
  const ticks = page.locator(".tick", { hasText: "200 ms" });
  near((await boxOf(ticks.last())).x, axis.x + 200 / 910 * axis.width);
  near((await boxOf(page.locator(".grid i").nth(1))).x, axis.x + 200 / 910 * axis.width);
});

test("draws a bar for each attempt, with its status", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=1" });
  const { page } = report;
  const attempts = page.locator('[data-part="attempt"]');
  deepEqual(await attempts.allTextContents(), ["attempt 1", "attempt 2"]);
  const [first, second] = [await boxOf(attempts.first()), await boxOf(attempts.last())];
  near(first.width / second.width, 0.99, 0.05);
  ok(second.x > first.x + first.width);
  match(await attempts.first().getAttribute("class") ?? "", /is-failed/);
  match(await attempts.last().getAttribute("class") ?? "", /is-passed/);
  equal(await page.locator('[data-part="pause"]').count(), 1);
});

test("shows exact times in a tooltip on hover and on focus", async () => {
  await using report = await openReport(browser, sampleRun(), {
    hash: "#case=0",
    timezoneId: "UTC",
  });
  const { page } = report;
  await page.locator('[data-part="state"][data-name="running"]').hover();
  deepEqual(await page.locator(".tip > div").allTextContents(), [
    "running",
    "09:00:00.210 – 09:00:00.900",
    "+210 ms, for 690 ms",
  ]);
  await page.mouse.move(0, 0);
  equal(await page.locator(".tip").isVisible(), false);
  await page.locator(".tl-label").first().focus();
  await page.keyboard.press("Tab");
  match(await page.locator(".tip").textContent() ?? "", /2 wait for order.*completed at \+900 ms/);
});

test("opens a step from its row", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=0" });
  const { page } = report;
  await page.locator('.tl-label[data-step="2"]').click();
  equal(await page.locator(".step").nth(1).locator("details").getAttribute("open"), "");
});

test("draws visible bars and separate labels for a long run on a narrow screen", async () => {
  const about = {
    case: 0,
    phase: "steps",
    place: { file: "r.yaml", line: 1, column: 1, text: "- wait: a", length: 4 },
  } as const;
  const hour = 3_600_000;
  const name = { name: "Long", file: "r.yaml" };
  const checkpoints = Array.from({ length: 12 }, (_, i) => ({
    step_name: `checkpoint ${i}`,
    at: at(hour + i * 60_000),
  }));
  const steps = [[0, 3], [3, 5 * hour], [5 * hour, 5 * hour + 20]] as const;
  const events: RecipeEvent[] = [
    { type: "run.started", ts: at(0), version: 1, cases: 1, server: "embedded" },
    { type: "case.started", ts: at(0), case: 0, ...name, tags: [], vars: {} },
    ...steps.map(([, to], i): RecipeEvent => ({
      type: "step.finished",
      ts: at(to),
      ...about,
      step: String(i + 1),
      kind: "wait",
      label: "wait for a",
      status: "passed",
      duration_ms: to - steps[i]![0],
      attempts: 1,
      soft: false,
      ...(i === 1 ? { observed: { states: [], timeline: checkpoints } } : {}),
    })),
  ];
  await using report = await openReport(browser, events, {
    hash: "#case=0",
    viewport: { width: 320, height: 700 },
  });
  const { page } = report;
  for (const bar of await page.locator('[data-part="step"]').all()) {
    ok((await boxOf(bar)).width >= 3);
  }
  const boxes: Box[] = [];
  for (const label of await page.locator(".mark-label, .mark").all()) {
    boxes.push(await boxOf(label));
  }
  const axis = await boxOf(page.locator(".ticks"));
  for (const box of boxes) ok(box.x >= axis.x - 6 && box.x + box.width <= axis.x + axis.width + 6);
  const labels: Box[] = [];
  for (const label of await page.locator(".mark-label").all()) labels.push(await boxOf(label));
  ok(labels.length >= 3, String(labels.length));
  for (const [i, a] of labels.entries()) {
    for (const b of labels.slice(i + 1)) {
      if (Math.abs(a.y - b.y) < 2) {
        ok(a.x + a.width <= b.x || b.x + b.width <= a.x, "labels overlap");
      }
    }
  }
  match(await page.locator(".ticks").textContent() ?? "", /2 h/);
  equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
});

test("shows the first of many steps, and all on request", async () => {
  const [runStarted, caseStarted, , , runFinished] = [...manyCases(1)];
  const place = { file: "r.yaml", line: 1, column: 1, text: "- log: a", length: 3 };
  const steps = Array.from({ length: 1500 }, (_, i): RecipeEvent => ({
    type: "step.finished",
    ts: at(i),
    case: 0,
    phase: "steps",
    step: `1[${i}]`,
    kind: "log",
    label: `log ${i}`,
    place,
    status: i === 1200 ? "failed" : "passed",
    duration_ms: 1,
    attempts: 1,
    soft: true,
  }));
  await using report = await openReport(browser, [
    runStarted!,
    caseStarted!,
    ...steps,
    runFinished!,
  ], {
    hash: "#case=0",
  });
  const { page } = report;
  equal(await page.locator(".step").count(), 201);
  match(await page.locator(".tl-hidden").first().textContent() ?? "", /1,000 more steps/);
  equal(await page.locator(".tl-row.is-failed").count(), 1);
  await page.locator(".tl-hidden .link").first().click();
  equal(await page.locator(".step").count(), 1500);
});

test("opens a case from the chart of the run", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  const picture = await boxOf(page.locator(".lanes"));
  match(
    await page.locator(".lanes").getAttribute("aria-label") ?? "",
    /6 cases over 5.10 s, up to 2 at a time/,
  );
  const xOf = (ms: number) => picture.x + ms / 5102 * picture.width;
  await page.mouse.move(xOf(1800), picture.y + picture.height - 8);
  match(await page.locator(".tip").textContent() ?? "", /Payment.*Failed, 410 ms/);
  await page.mouse.click(xOf(1800), picture.y + picture.height - 8);
  equal(await page.locator(".case").getAttribute("data-case"), "2");
  const opened = await boxOf(page.locator(".lanes .opened"));
  near(opened.x, xOf(1100) - 2, 4);
  await page.mouse.click(xOf(3010), picture.y + 22);
  equal(await page.locator(".case").getAttribute("data-case"), "3");
});

test("draws statuses in different colours", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=1" });
  const colour = () => styleOf(report.page.locator(".tl-row .icon-fill").first(), "fill");
  const passed = await colour();
  await report.page.keyboard.press("n");
  ok(passed !== await colour());
});
