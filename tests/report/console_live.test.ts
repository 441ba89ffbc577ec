import graphemes from "@xterm/addon-unicode-graphemes";
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock, type VirtualClock } from "../../dev/mod.ts";
import type { Output, RecipeEvent } from "../../runner/mod.ts";
import { LiveReporter } from "../../runner/report/console/live_reporter.ts";
import stringWidth from "string-width";
import { FakeClock } from "../helpers/fake_clock.ts";
import { RunnerProcess } from "../runner/_process.ts";
import { at, HOSTILE, manyCases, RUN_START, sampleRun } from "./_events.ts";
import { Screen, type ScreenOptions } from "./_screen.ts";

/** A live reporter on a screen in memory, with a clock that stands still. */
class Live {
  readonly screen: Screen;
  readonly clock: VirtualClock;
  readonly reporter: LiveReporter;

  constructor(options: ScreenOptions = {}) {
    this.screen = new Screen({
      graphemes: () => new graphemes.UnicodeGraphemesAddon(),
      ...options,
    });
    this.clock = createVirtualClock({ start: new Date(RUN_START), autoSkip: false });
    this.reporter = new LiveReporter(this.screen, { clock: this.clock });
  }

  /** Reports events at their times, until a time in milliseconds after the start of the run. */
  async play(events: Iterable<RecipeEvent>, until = Infinity): Promise<this> {
    const inOrder = [...events].sort((a, b) => Date.parse(a.ts) - Date.parse(b.ts));
    for (const event of inOrder) {
      const ms = Date.parse(event.ts) - RUN_START;
      if (ms > until) break;
      await this.until(ms);
      this.reporter.report(event);
    }
    if (until !== Infinity) await this.until(until);
    return this;
  }

  async until(ms: number): Promise<void> {
    const wait = RUN_START + ms - this.clock.now();
    if (wait > 0) await this.clock.advance(`${wait}ms`);
  }
}

/** The start of a run with parallel cases, each in a wait with progress. */
function parallel(count: number, name = (i: number) => `Case ${i}`): RecipeEvent[] {
  const events: RecipeEvent[] = [
    { type: "run.started", ts: at(0), version: 1, cases: 40, server: "embedded" },
  ];
  for (let i = 0; i < count; i++) {
    const file = `recipes/${i}.yaml`;
    const place = { file, line: 2, column: 3, text: "- wait: job", length: 4 };
    const about = { ts: at(0), case: i, step: "1", phase: "steps" as const };
    events.push(
      { type: "case.started", ts: at(0), case: i, name: name(i), file, tags: [], vars: {} },
      {
        type: "step.started",
        ...about,
        kind: "wait",
        label: `wait for ${name(i)}`,
        place,
        attempt: 1,
      },
      { type: "step.progress", ...about, text: "running, reserve done", since: at(0) },
    );
  }
  return events;
}

function singleCase(events: RecipeEvent[] = sampleRun()): RecipeEvent[] {
  return events.filter((event) => !("case" in event) || event.case === 0)
    .map((event) => event.type === "run.started" ? { ...event, cases: 1 } : event);
}

test("shows the running step of a single case below the steps that have ended", async () => {
  const { screen, reporter } = await new Live().play(singleCase(), 500);
  deepEqual(await screen.shown(), [
    "Order smoke  recipes/order.yaml",
    "  ✓ start order-payment                199 ms  wfrun_1",
    "  │ half way",
    "  ⠴ wait for order                      0.3 s  running, reserve done 0.2 s ago",
  ]);
  reporter.finish();
});

test("turns the spinner and updates the times between events", async () => {
  const live = await new Live().play(singleCase(), 500);
  const [before] = (await live.screen.shown()).slice(-1);
  await live.until(3_705);
  const [after] = (await live.screen.shown()).slice(-1);
  match(after!, /wait for order +3\.[45] s {2}running, reserve done 3\.[34] s ago$/);
  ok(before!.trim()[0] !== after!.trim()[0]);
  live.reporter.finish();
});

test("shows how long ago a wait first saw its state", async () => {
  const again: RecipeEvent = {
    type: "step.progress",
    ts: at(2_000),
    case: 0,
    step: "2",
    phase: "steps",
    text: "running, reserve done",
    since: at(300),
  };
  const events = [...singleCase().filter(({ ts }) => ts <= at(400)), again];
  const { screen, reporter } = await new Live().play(events, 2_120);
  match((await screen.shown()).at(-1)!, /running, reserve done 1\.8 s ago$/);
  reporter.finish();
});

test("shows the running cases and a progress bar below the lines", async () => {
  const { screen, reporter } = await new Live().play(sampleRun(), 1_050);
  deepEqual(await screen.shown(), [
    "  │ Order smoke: half way",
    "✓ Order smoke                          910 ms  recipes/order.yaml",
    "",
    "⠙ Flaky [region=eu]                     0.0 s  recipes/1.yaml",
    "    get email                           0.0 s",
    "─── 1/7".replace("───", "━━━─────────────────────") + "  1.0 s",
  ]);
  reporter.finish();
});

test("shows the number of failed cases beside the progress bar", async () => {
  const { screen, reporter } = await new Live().play(sampleRun(), 3_500);
  match((await screen.shown()).at(-1)!, /━─+ 4\/7 {2}2 failed {2}3\.[45] s$/);
  reporter.finish();
});

for (const columns of [2, 5, 12, 20, 40, 80, 200]) {
  for (const modern of [true, false]) {
    test(`wraps no line: ${columns} columns, ${modern ? "modern" : "old"} terminal`, async () => {
      const name = (i: number) =>
        ["名前 在庫 ".repeat(9), "👩‍👩‍👧".repeat(30), "e\u0301\u0302".repeat(99), HOSTILE][i]!;
      const events = parallel(4, name);
      const live = await new Live({ columns, modern, rows: 30 }).play(events, 1_000);
      deepEqual(await live.screen.wrapped(), []);
      const shown = await live.screen.shown();
      equal(shown.length, columns < 100 ? 10 : 6, shown.join("\n"));
      if (columns > 5) match(shown.at(-1)!, /0\/40/);
      const before = shown.join("\n");
      await live.until(1_900);
      equal((await live.screen.shown()).length, before.split("\n").length);
      live.reporter.finish();
      deepEqual(await live.screen.shown(), []);
    });
  }
}

test("aligns columns after wide and combined characters", async () => {
  const events = parallel(3, (i) => ["在庫 📦", "👩‍👩‍👧 e\u0301", "plain"][i]!);
  const { screen, reporter } = await new Live({ columns: 120 }).play(events, 500);
  const lines = (await screen.shown()).filter((line) => line.includes("wait for"));
  const before = lines.map((line) => stringWidth(line.slice(0, line.indexOf(" s  wait for"))));
  deepEqual(before, [55, 55, 55]);
  reporter.finish();
});

test("leaves no remains of the board when the window is resized", async () => {
  const live = new Live({ columns: 120, rows: 40 });
  await live.play(sampleRun(), 1_000);
  await live.play(parallel(4, (i) => `Case ${i}`).slice(1), 0);
  for (const columns of [30, 100, 20, 200, 13, 80]) {
    await live.screen.resize(columns);
    await live.until(live.clock.now() - RUN_START + 200);
    const all = await live.screen.all();
    equal(all.filter((line) => line.includes("1/7")).length, 1, all.join("\n"));
    equal(all.filter((line) => /^[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] Ca/.test(line)).length, 4, all.join("\n"));
  }
  live.reporter.finish();
  deepEqual((await live.screen.all()).join("\n").match(/Case|1\/7/g), null);
});

test("keeps the board lower than the screen", async () => {
  const live = await new Live({ rows: 10, columns: 60 }).play(parallel(30), 500);
  for (const rows of [10, 5, 3, 2, 1, 8]) {
    await live.screen.resize(60, rows);
    await live.until(live.clock.now() - RUN_START + 200);
    const shown = await live.screen.shown();
    ok(shown.length < rows, shown.join("\n"));
    equal(shown.filter((line) => line.includes("0/40")).length, rows > 1 ? 1 : 0);
    if (rows > 3) match(shown.at(-2)!, /… and \d+ more running cases/);
  }
  live.reporter.finish();
});

test("shows as many running steps of a single case as fit on the screen", async () => {
  const [runStarted, caseStarted] = singleCase();
  const step = singleCase().find((event) => event.type === "step.started")!;
  const steps = Array.from({ length: 30 }, (_, i) => ({ ...step, step: `1.${i}` }) as RecipeEvent);
  const live = await new Live({ rows: 8 }).play([runStarted!, caseStarted!, step, ...steps], 100);
  const shown = await live.screen.shown();
  equal(shown.length, 7);
  match(shown.at(-1)!, /… and 24 more running steps/);
  live.reporter.finish();
});

test("scrolls ended steps, log lines and failures above the board", async () => {
  const { screen, reporter } = await new Live({ rows: 8 }).play(sampleRun(), 3_100);
  const all = await screen.all();
  const shown = await screen.shown();
  equal(shown.length, 7);
  ok(all.indexOf("  │ Order smoke: half way") === 0);
  ok(all.some((line) => line.startsWith("✗ Refused ")));
  equal(all.filter((line) => line.includes("/7")).length, 1);
  reporter.finish();
});

test("removes the board at the end, shows the cursor and leaves no timer", async () => {
  let pending = 0;
  const live = new Live({ rows: 10 });
  const { clock } = live;
  const counting = {
    now: () => clock.now(),
    setTimeout(callback: () => void, ms: number) {
      pending++;
      return clock.setTimeout(() => {
        pending--;
        callback();
      }, ms);
    },
    clearTimeout(handle: unknown) {
      if (handle !== undefined) pending--;
      clock.clearTimeout(handle);
    },
  };
  const reporter = new LiveReporter(live.screen, { clock: counting });
  const events = sampleRun({ interrupted: true });
  for (const event of events) {
    const ms = Date.parse(event.ts) - RUN_START;
    await live.until(ms);
    if (event.type === "run.finished") {
      equal(live.screen.cursor, false);
      equal(pending, 1);
    }
    reporter.report(event);
  }
  reporter.finish();
  const all = await live.screen.all();
  match(all.slice(-2).join(""), /^Interrupted: 2 passed \(1 flaky\).* in 5\.10 s$/);
  ok(!all.some((line) => /[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏━]/.test(line)));
  deepEqual([live.screen.cursor, live.screen.wraps, pending], [true, true, 0]);
});

test("shows the cursor again if the events stop early", async () => {
  const { screen, reporter } = await new Live().play(sampleRun(), 2_500);
  await screen.all();
  equal(screen.cursor, false);
  reporter.finish();
  const all = await screen.all();
  ok(all.includes("soft failure: `stats.jobs == 3` is false") && !/━/.test(all.join("")));
  equal(screen.cursor, true);
});

test("redraws with one write, at most twelve times a second", async () => {
  const live = new Live();
  await live.play(manyCases(500), Infinity);
  live.reporter.finish();
  const { writes } = live.screen;
  const seconds = 500 * 10 / 1000;
  ok(writes.length <= 12 * seconds + 2, String(writes.length));
  ok(writes.length >= 8 * seconds, String(writes.length));
  // deno-lint-ignore no-control-regex
  for (const text of writes.slice(0, -1)) match(text, /\x1b\[\?7l[^]*\x1b\[\?7h$/);
});

test("rewrites only the board if there are no new lines", async () => {
  const live = await new Live().play(sampleRun(), 1_050);
  const { writes } = live.screen;
  const before = writes.length;
  await live.until(1_130);
  equal(writes.length, before + 1);
  ok(!writes.at(-1)!.includes("Order smoke") && writes.at(-1)!.includes("Flaky"));
  live.reporter.finish();
});

test("draws ten thousand cases with one write, and loses no line", async () => {
  const live = new Live({ rows: 12 });
  for (const event of manyCases(10_000)) live.reporter.report(event);
  equal(live.screen.writes.length, 1);
  const all = await live.screen.all();
  equal(all.filter((line) => line.startsWith("✓ ")).length, 9_000);
  equal(all.at(-1), "9000 passed, 1000 failed in 1 m 40 s");
});

test("draws the same board with and without colours", async () => {
  const plain = await new Live().play(sampleRun(), 3_500);
  const color = await new Live({ color: true }).play(sampleRun(), 3_500);
  deepEqual(await color.screen.all(), await plain.screen.all());
  // deno-lint-ignore no-control-regex
  ok(!/\x1b\[\d*m/.test(plain.screen.writes.join("")));
  // deno-lint-ignore no-control-regex
  ok(/\x1b\[36m/.test(color.screen.writes.join("")));
  plain.reporter.finish();
  color.reporter.finish();
});

test("shows a failed attempt, and then the number of the next one", async () => {
  const live = await new Live().play(sampleRun(), 1_190);
  ok(
    (await live.screen.shown()).some((line) => /get email +0\.1 s {2}attempt 1 failed/.test(line)),
  );
  await live.play(sampleRun().filter(({ ts }) => ts > at(1_190)), 1_390);
  ok((await live.screen.shown()).some((line) => /get email \(attempt 2\) +0\.[34] s$/.test(line)));
  live.reporter.finish();
});

test("throws the error of a broken output at the next event, and leaves no timer", () => {
  let broken = false;
  const output: Output = {
    write() {
      if (broken) throw new Error("the terminal is gone");
    },
    isTerminal: true,
    color: false,
    columns: 80,
  };
  const clock = new FakeClock();
  const reporter = new LiveReporter(output, { clock });
  const [runStarted, caseStarted, next] = sampleRun();
  reporter.report(runStarted!);
  reporter.report(caseStarted!);
  broken = true;
  equal(clock.pending, 1);
  clock.advance(1_000);
  equal(clock.pending, 0);
  throws(() => reporter.report(next!), /the terminal is gone/);
  throws(() => reporter.finish(), /the terminal is gone/);
});

test("shows the cursor again if the process exits during the run", async () => {
  const runner = new RunnerProcess(["tests/report/_exit_during_run.ts"]);
  equal(await runner.exit(), 130);
  ok(runner.output.includes("\x1b[?25l"));
  // deno-lint-ignore no-control-regex
  match(runner.output, /0\/7[^]*\x1b\[\d+A\x1b\[J\x1b\[\?25h$/);
});
