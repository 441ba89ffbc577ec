import { deepEqual, equal, match, ok } from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { escapeInvisible } from "../../runner/report/safe_text.ts";
import type { RecipeEvent } from "../../runner/mod.ts";
import { HOSTILE, manyCases, sampleRun } from "../report/_events.ts";
import { launch } from "./_page.ts";
import { openReport, styleOf, texts } from "./_report.ts";

let browser: Browser;

before(async () => {
  browser = await launch();
});

after(() => browser?.close());

test("requests nothing but itself and reports no error, whichever case is open", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page, requests, complaints, url } = report;
  for (const number of [0, 1, 2, 3, 4, 5, 6]) {
    await page.goto(`${url}#case=${number}`);
    await page.locator(`.case[data-case="${number}"]`).waitFor();
  }
  deepEqual(
    requests.filter((request) => !request.startsWith("data:")).map((r) => r.split("#")[0]),
    [
      url,
    ],
  );
  deepEqual(complaints, []);
});

test("has a policy that blocks requests", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page, requests } = report;
  const failed = await page.evaluate(async () =>
    await fetch("http://127.0.0.1:9/").then(() => "sent", (error) => error.name)
  );
  equal(failed, "TypeError");
  match(report.complaints.join("\n"), /Content Security Policy directive: "default-src 'none'"/);
  deepEqual(requests.filter((request) => request.startsWith("http")), []);
});

test("shows the verdict, the server and the duration in the header", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  equal(await page.locator("h1").textContent(), "Failed");
  match(await page.locator(".sentence").textContent() ?? "", /^7 cases: 1 failed, 1 errored, /);
  deepEqual(await texts(page, ".facts dt"), [
    "Server",
    "Started",
    "Duration",
    "Exit code",
    "Flaky",
    "Warnings",
  ]);
  equal(await page.locator(".summary .part").count(), 5);
});

test("lists every case with its status, file, tags and badges", async () => {
  await using report = await openReport(browser, sampleRun());
  const rows = await texts(report.page, ".row .status");
  deepEqual(rows, ["Passed", "Passed", "Failed", "Errored", "Unchecked", "Passed", "Not run"]);
  equal(await report.page.locator(".row svg.icon").count(), 7);
  deepEqual(await texts(report.page, "#case-0 .tag"), ["smoke", "orders"]);
  deepEqual(await texts(report.page, "#case-1 .badge"), ["flaky"]);
});

test("searches names, files, tags and failures, and updates the counts", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  const names = async (query: string) => {
    await page.getByRole("searchbox").fill(query);
    return await texts(page, ".row-name");
  };
  deepEqual(await names("smoke"), ["Order smoke"]);
  deepEqual(await names("recipes/3"), ["Refused"]);
  deepEqual(await names("insufficient PERM"), ["Refused"]);
  equal(await page.locator(".found").textContent(), "1 of 7 cases");
  equal(await page.locator('[data-filter="errored"] .count').textContent(), "1");
  equal(await page.locator('[data-filter="failed"] .count').textContent(), "0");
  deepEqual(await names("nothing at all"), []);
  equal(await page.locator(".empty").isVisible(), true);
  match(page.url(), /#q=nothing\+at\+all$/);
});

test("filters the list, keeps the filters in the address, and supports going back", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#status=errored" });
  const { page, url } = report;
  deepEqual(await texts(page, ".row-name"), ["Refused"]);
  await page.locator('[data-filter="failed"]').click();
  deepEqual(await texts(page, ".row .status"), ["Failed", "Errored"]);
  equal(page.url(), `${url}#status=failed,errored`);
  equal(await page.locator('[data-filter="failed"]').getAttribute("aria-pressed"), "true");
  await page.locator('[data-filter="all"]').click();
  equal(await page.locator(".row").count(), 7);
  equal(page.url(), url);
  await page.getByLabel("Order").selectOption("slow");
  equal((await texts(page, ".row-name"))[0], "Order smoke");
  await page.locator("#case-3").click();
  match(page.url(), /#sort=slow&case=3$/);
  await page.goBack();
  equal(await page.locator(".overview").count(), 1);
});

test("shows the message, code, difference and source line of a failure", async () => {
  await using report = await openReport(browser, sampleRun());
  const { page } = report;
  await page.locator("#case-2").click();
  const card = page.locator(".case > section > .failure");
  const message = `run \`order-payment\` (wfrun_2) is failed, not completed: ${
    escapeInvisible(HOSTILE)
  }`;
  equal(await card.locator(".message").textContent(), message);
  deepEqual(await card.locator(".chip").allTextContents(), ["wait", "code step_failed"]);
  equal(await card.locator(".line.expected").textContent(), "- expected");
  equal(await card.locator(".line.actual").textContent(), "+ actual");
  const colour = (selector: string) => styleOf(card.locator(selector), "background-color");
  ok(await colour(".line.expected") !== await colour(".line.actual"));
  equal(await card.locator("figcaption").textContent(), "recipes/2.yaml:12:5");
  equal(await card.locator(".source code").textContent(), "  - wait: order");
  const [mark, caret] = [
    await card.locator("mark").boundingBox(),
    await card.locator(".caret").boundingBox(),
  ];
  const text = await card.locator(".caret").textContent();
  const start = caret!.x + text!.indexOf("^") * caret!.width / text!.length;
  ok(Math.abs(start - mark!.x) < 1.5, `${start} and ${mark!.x}`);
  deepEqual(await texts(page, ".case .warning"), [
    "event `payment-received` (evt_1) was not consumed by this recipe's runs",
  ]);
});

test("shows a soft failure with its step", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=2" });
  const step = report.page.locator(".step").nth(1);
  equal(await step.locator(".badge").first().textContent(), "soft");
  equal(await step.locator(".message").textContent(), "`stats.jobs == 3` is false");
  equal(await step.locator("figcaption").textContent(), "recipes/2.yaml:20:5");
});

test("shows the log, the states and the place of a step when it is opened", async () => {
  await using report = await openReport(browser, sampleRun(), { hash: "#case=0" });
  const { page } = report;
  const step = page.locator(".step").nth(1);
  equal(await step.locator(".log").count(), 0);
  await step.locator("summary").click();
  equal(await step.locator(".log span").textContent(), "half way");
  deepEqual(await step.locator(".observed tbody td:nth-child(2)").allTextContents(), [
    "running",
    "completed",
    "reserve",
    "wait:payment-received",
    "ship",
  ]);
  equal(await step.locator("figcaption").textContent(), "recipes/order.yaml:12:5");
  equal(await page.locator(".values th").textContent(), "order_id");
});

test("shows hostile text as text everywhere", async () => {
  const events = sampleRun().map((event): RecipeEvent => {
    if (event.type === "case.started") {
      return {
        ...event,
        tags: [HOSTILE],
        file: HOSTILE,
        vars: { [HOSTILE]: HOSTILE },
        matrix: { [HOSTILE]: HOSTILE },
      };
    }
    if (event.type === "log" || event.type === "warning") return { ...event, text: HOSTILE };
    if (event.type === "run.started") return { ...event, server: HOSTILE };
    return event;
  });
  await using report = await openReport(browser, events);
  const { page, complaints } = report;
  const name = `Payment ${escapeInvisible(HOSTILE)}`;
  equal(await page.locator("#case-2 .row-name").textContent(), name);
  equal(await page.locator(".facts dd").first().textContent(), escapeInvisible(HOSTILE));
  for (const number of [0, 2]) {
    await page.locator(`#case-${number}`).click();
    const closed = page.locator("details:not([open]) > summary");
    while (await closed.count() > 0) await closed.first().click();
    equal(await page.locator("script:not([type])").count(), 1);
    const made = "img, iframe, object, embed, link:not([rel=icon]), [onclick], [onerror], [onload]";
    equal(await page.locator(made).count(), 0);
  }
  equal(await page.locator("h2").first().textContent(), name);
  equal(
    await page.locator(".values pre").first().textContent(),
    escapeInvisible(JSON.stringify(HOSTILE)),
  );
  equal(await page.locator(".warning").textContent(), escapeInvisible(HOSTILE));
  deepEqual(complaints, []);
});

test("marks an interrupted run and a run that did not finish", async () => {
  await using report = await openReport(browser, sampleRun({ interrupted: true }));
  equal(await report.page.locator("h1").textContent(), "Interrupted");
  match(await report.page.locator(".notice").textContent() ?? "", /This run was interrupted/);
  deepEqual((await texts(report.page, ".row .status")).slice(-2), [
    "Interrupted",
    "Interrupted, not started",
  ]);
  await using broken = await openReport(browser, sampleRun().slice(0, 6), { hash: "#case=0" });
  equal(await broken.page.locator("h1").textContent(), "Interrupted");
  match(await broken.page.locator(".head .notice").textContent() ?? "", /This run did not finish/);
  equal(await broken.page.locator(".row .status").textContent(), "Not finished");
  await broken.page.locator("summary").nth(1).click();
  // The page fills a step on its `toggle` event, which comes after the click.
  await broken.page.locator(".step").nth(1).getByText("Last seen").waitFor();
  match(await broken.page.locator(".step").nth(1).textContent() ?? "", /Last seenrunning/);
  deepEqual([...report.complaints, ...broken.complaints], []);
});

test("opens the report of a run without events", async () => {
  await using report = await openReport(browser, []);
  equal(await report.page.locator("h1").textContent(), "Interrupted");
  deepEqual(report.complaints, []);
});

test("describes the history in words", async () => {
  const usual = { runs: 20, failed: 2, flaky: 1, median_ms: 900, slower: true };
  const events = sampleRun().map((event): RecipeEvent =>
    event.type === "case.finished" && event.case === 0
      ? { ...event, usual, duration_ms: 4100 }
      : event
  );
  await using report = await openReport(browser, events, { hash: "#case=0" });
  equal(
    await report.page.locator(".usual").textContent(),
    "slower than usual: 4.10 s, median of 18 runs 900 ms; " +
      "failed in 2 of the last 20 runs; flaky in 1 of the last 20 runs",
  );
  deepEqual(await texts(report.page, "#case-0 .badge"), ["slow"]);
});

test("shows the verdict and the failures without scripts", async () => {
  await using report = await openReport(browser, sampleRun(), { javaScriptEnabled: false });
  const { page } = report;
  equal(await page.locator("noscript h1").textContent(), "Failed");
  equal(await page.locator("noscript section").count(), 4);
  match(
    await page.locator("noscript pre").first().textContent() ?? "",
    /<script>alert\(1\)<\/script>/,
  );
});

for (const count of [1000, 10_000]) {
  test(`keeps fewer than 700 elements in the page for ${count} cases`, async (context) => {
    await using report = await openReport(browser, manyCases(count));
    const { page, complaints } = report;
    const nodes = () => page.locator("body *").count();
    const timed = async (what: string, act: () => Promise<unknown>) => {
      const began = performance.now();
      await act();
      context.diagnostic(`${what}: ${(performance.now() - began).toFixed(0)} ms`);
      const found = await nodes();
      ok(found < 700, `${what}: ${found} elements`);
    };
    await timed("at first", () => page.locator("#case-0").waitFor());
    await timed("at the end", async () => {
      await page.locator(".list").evaluate((list) => list.scrollTo(0, list.scrollHeight));
      await page.locator(`#case-${count - 1}`).waitFor();
    });
    await timed("in the middle", async () => {
      await page.locator(".list").evaluate((list) => list.scrollTo(0, list.scrollHeight / 2));
      await page.locator(`#case-${count / 2}`).waitFor();
    });
    await timed("failed ones", async () => {
      await page.locator('[data-filter="failed"]').click();
      await page.locator("#case-9").waitFor();
    });
    equal(
      await page.locator(".found").textContent(),
      `${(count / 10).toLocaleString("en")} of ${count.toLocaleString("en")} cases`,
    );
    await timed("a search", async () => {
      await page.getByRole("searchbox").fill("case 99");
      await page.locator("#case-99").waitFor();
    });
    await timed("an open case", async () => {
      await page.locator("#case-99").click();
      await page.locator(".failure").first().waitFor();
    });
    equal(await page.locator(".row").first().getAttribute("aria-posinset"), "1");
    ok(await page.locator(".lanes path").count() <= 6);
    deepEqual(complaints, []);
  });
}
