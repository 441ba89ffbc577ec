// When recipes run by themselves, with a clock that the test moves.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  afterRun,
  type AlertRules,
  type AlertState,
  NO_FAILURES,
} from "../../runner/schedule/alerts.ts";
import {
  type Alert,
  type Outcome,
  type ScheduledRecipe,
  Scheduler,
} from "../../runner/schedule/scheduler.ts";
import { cronTimes, cronWindows, fixedWindow } from "../../runner/schedule/calendar.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 12, 0, 30);
const iso = (at: number | undefined) => at === undefined ? at : new Date(at).toISOString();

/** Moves the clock, with time for what its timers set going. */
async function pass(clock: FakeClock, ms: number, step = 10_000): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** A schedule at work: what ran when, what was told, and how the next runs end. */
function keep(given: Partial<ScheduledRecipe> = {}, random = () => 0) {
  const clock = new FakeClock(START);
  const stop = new AbortController();
  const runs: string[] = [];
  const lines: string[] = [];
  const alerts: Alert[] = [];
  const kept = {
    clock,
    runs,
    lines,
    alerts,
    outcome: { exitCode: 0 } as Outcome,
    stop: () => stop.abort(),
    ended: Promise.resolve(false),
  };
  const scheduler = new Scheduler({
    clock,
    random,
    signal: stop.signal,
    log: (line) => void lines.push(line),
    alert: (alert) => void alerts.push(alert),
  });
  kept.ended = scheduler.run([{
    name: "Smoke",
    next: cronTimes("* * * * *", "UTC"),
    jitter: 0,
    maintenance: [],
    run: () => {
      runs.push(new Date(clock.now()).toISOString().slice(11, 19));
      return Promise.resolve(kept.outcome);
    },
    ...given,
  }]);
  return kept;
}

test("times are those of the time zone, in summer and in winter", () => {
  const next = cronTimes("0 9 * * *", "Europe/Berlin");
  assert.equal(iso(next(Date.UTC(2026, 0, 1))), "2026-01-01T08:00:00.000Z");
  assert.equal(iso(next(Date.UTC(2026, 6, 1))), "2026-07-01T07:00:00.000Z");
  assert.equal(cronTimes("0 0 0 1 1 * 2020", "UTC")(START), undefined);
});

test("a window holds from its beginning to before its end", () => {
  const nightly = cronWindows(cronTimes("0 3 * * *", "UTC"), 60 * MINUTE);
  const at = (hour: number, minute: number, ms = 0) => Date.UTC(2026, 0, 5, hour, minute, 0, ms);
  assert.equal(nightly(at(2, 59, 59_999)), undefined);
  assert.deepEqual(nightly(at(3, 0)), { from: at(3, 0), to: at(4, 0) });
  assert.ok(nightly(at(3, 59, 59_999)));
  assert.equal(nightly(at(4, 0)), undefined);
  const once = fixedWindow({ from: at(1, 0), to: at(2, 0) });
  assert.deepEqual([at(0, 59), at(1, 0), at(2, 0)].map((time) => once(time) !== undefined), [
    false,
    true,
    false,
  ]);
});

test("a recipe runs at its times, and later by a part of its jitter", async () => {
  const plain = keep();
  await pass(plain.clock, 3 * MINUTE);
  assert.deepEqual(plain.runs, ["12:01:00", "12:02:00", "12:03:00"]);
  const late = keep({ jitter: 40_000 }, () => 0.5);
  await pass(late.clock, 3 * MINUTE);
  assert.deepEqual(late.runs, ["12:01:20", "12:02:20", "12:03:20"]);
  for (const kept of [plain, late]) {
    kept.stop();
    assert.equal(await kept.ended, false);
    assert.equal(kept.clock.pending, 0);
  }
});

test("a recipe does not run beside itself", async () => {
  const finish: (() => void)[] = [];
  let runs = 0;
  const kept = keep({
    run: () => {
      runs++;
      return new Promise((resolve) => finish.push(() => resolve({ exitCode: 0 })));
    },
  });
  await pass(kept.clock, 2 * MINUTE);
  assert.equal(runs, 1);
  assert.deepEqual(kept.lines, [
    "Smoke: skipped at 2026-01-01T12:02:00Z: its run of 2026-01-01T12:01:00Z is still in progress",
  ]);
  finish[0]!();
  await pass(kept.clock, MINUTE);
  assert.equal(runs, 2);
});

test("nothing runs in maintenance, and that is told", async () => {
  const from = START + MINUTE;
  const kept = keep({ maintenance: [fixedWindow({ from, to: from + 90_000 })] });
  await pass(kept.clock, 4 * MINUTE);
  assert.deepEqual(kept.runs, ["12:01:00", "12:03:00", "12:04:00"]);
  assert.deepEqual(kept.lines, [
    "Smoke: skipped at 2026-01-01T12:02:00Z: maintenance until 2026-01-01T12:03:00Z",
  ]);
});

test("what was missed while the machine slept is not made up for", async () => {
  const kept = keep();
  kept.clock.sleep(60 * MINUTE);
  await pass(kept.clock, 1);
  await pass(kept.clock, MINUTE);
  // The time that was waited for, once, and then those that come.
  assert.deepEqual(kept.runs, ["13:00:30", "13:01:00"]);
});

test("a schedule without a further time ends", async () => {
  const kept = keep({ next: () => undefined });
  assert.equal(await kept.ended, false);
  assert.deepEqual(kept.lines, ["Smoke: no further runs"]);
});

test("what runs when the schedule ends is waited for, and is said to be interrupted", async () => {
  const kept = keep({
    run: (signal) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ exitCode: 130 }), { once: true })
      ),
  });
  await pass(kept.clock, MINUTE);
  kept.stop();
  assert.equal(await kept.ended, true);
});

/** What each of a series of runs, `+` passed and `-` failed, gives notice of. */
function notices(series: string, rules: AlertRules): string {
  let state: AlertState = NO_FAILURES;
  return [...series].map((sign, at) => {
    const step = afterRun(state, sign === "+", at, rules);
    state = step.state;
    return { raised: "A", resolved: "R", reminder: "!" }[step.kind!] ?? ".";
  }).join("");
}

test("an alert is raised by failures in a row and resolved by passes in a row", () => {
  for (
    const [after, resolveAfter, series, expected] of [
      [1, 1, "+-+-", ".ARA"],
      [3, 2, "--+---", ".....A"],
      [3, 2, "----", "..A."],
      [2, 2, "--+-++", ".A...R"],
      [2, 1, "--+--", ".AR.A"],
    ] as const
  ) assert.equal(notices(series, { after, resolveAfter }), expected, series);
});

test("an alert names since when and how often it failed, and comes back while it lasts", async () => {
  const rules = { after: 2, resolveAfter: 1, remind: 5 * MINUTE };
  // It fails at 12:01, 12:02 and 12:03, and then waits for long.
  const next = cronTimes("1,2,3,30 * * * *", "UTC");
  const kept = keep({ rules, next });
  kept.outcome = { exitCode: 1, failure: "it is false" };
  await pass(kept.clock, 12 * MINUTE);
  const told = () =>
    kept.alerts.map(({ kind, at, failures }) => [kind, iso(at)?.slice(11, 16), failures]);
  assert.deepEqual(told(), [["raised", "12:02", 2], ["reminder", "12:07", 3], [
    "reminder",
    "12:12",
    3,
  ]]);
  assert.equal(iso(kept.alerts[0]!.since), "2026-01-01T12:01:00.000Z");
  assert.equal(kept.alerts[0]!.failure, "it is false");
  kept.outcome = { exitCode: 0 };
  await pass(kept.clock, 30 * MINUTE);
  assert.deepEqual(told().slice(-2).map(([kind]) => kind), ["reminder", "resolved"]);
  assert.equal(kept.alerts.at(-1)!.failure, undefined);
  kept.stop();
  await kept.ended;
  assert.equal(kept.clock.pending, 0);
});

test("nobody is reminded in maintenance", async () => {
  const rules = { after: 1, resolveAfter: 1, remind: MINUTE };
  const window = { from: START + MINUTE, to: START + 4 * MINUTE };
  const kept = keep({
    rules,
    maintenance: [fixedWindow(window)],
    next: cronTimes("1 * * * *", "UTC"),
  });
  kept.outcome = { exitCode: 3 };
  await pass(kept.clock, 6 * MINUTE);
  assert.deepEqual(kept.alerts.map(({ at }) => iso(at)?.slice(11, 16)), [
    "12:01",
    "12:05",
    "12:06",
  ]);
});

test("a run that was interrupted counts neither as a failure nor as a pass", async () => {
  const kept = keep({ rules: { after: 1, resolveAfter: 1 } });
  kept.outcome = { exitCode: 130 };
  await pass(kept.clock, 2 * MINUTE);
  assert.deepEqual(kept.alerts, []);
});
