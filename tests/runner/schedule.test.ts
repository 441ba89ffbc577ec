import assert from "node:assert/strict";
import { test } from "node:test";
import type { CheckPlan } from "../../runner/cli/health/check_plans.ts";
import { HealthLog } from "../../runner/cli/health/log.ts";
import { Monitor } from "../../runner/cli/health/monitor.ts";
import { Mask } from "../../runner/engine/mask.ts";
import {
  afterRun,
  type AlertRules,
  type AlertState,
  NEVER_RUN,
} from "../../runner/health/alert_rules.ts";
import { HealthStore } from "../../runner/health/health_store.ts";
import type { CheckRun, Notice } from "../../runner/health/model.ts";
import {
  cronTimes,
  cronWindows,
  fixedWindow,
  intervalTimes,
} from "../../runner/schedule/calendar.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 12, 0, 30);
const iso = (at: number | undefined) => at === undefined ? at : new Date(at).toISOString();

/** Advances the clock in small steps, so that promises settle in between. */
async function advance(clock: FakeClock, ms: number, step = 10_000): Promise<void> {
  for (let left = ms; left > 0; left -= step) {
    clock.advance(Math.min(step, left));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** How a run ends that has no more to say. */
interface Outcome {
  exitCode: number;
  failure?: string;
}

type Recipe = Partial<Omit<CheckPlan, "alerting">> & {
  rules?: AlertRules;
  run?: (signal: AbortSignal) => Promise<Outcome>;
};

/** Starts a schedule of one recipe, and records its runs, log lines and notices. */
async function startSchedule({ rules, run, ...recipe }: Recipe = {}, random = () => 0) {
  const clock = new FakeClock(START);
  const stop = new AbortController();
  const runs: string[] = [];
  const lines: string[] = [];
  const alerts: Notice[] = [];
  const schedule = {
    clock,
    runs,
    lines,
    alerts,
    /** The outcome of each run from now on. */
    outcome: { exitCode: 0 } as Outcome,
    stop: () => stop.abort(),
    ended: Promise.resolve(false),
  };
  const warn = (text: string) => void lines.push(text);
  const store = await HealthStore.open(undefined, { clock, warn, sender: "1", keep: { ms: 1e12 } });
  const monitor = new Monitor({
    ...{ clock, random, store, signal: stop.signal, parallel: 1 },
    run: async (_, { slot, lateness }) => {
      runs.push(new Date(clock.now()).toISOString().slice(11, 19));
      const { exitCode, failure } = await (run ? run(stop.signal) : schedule.outcome);
      if (exitCode === 130) return undefined;
      const result: CheckRun = {
        ...{ slot, at: clock.now(), lateness_ms: lateness, duration_ms: 1, exitCode, steps: [] },
        ...{ verdict: exitCode === 0 ? "passed" : "failed", flaky: false },
        ...(failure === undefined ? {} : { failure }),
      };
      return result;
    },
    wake: () => {},
    beat: () => {},
    onCaughtUp: () => Promise.resolve(),
  });
  const output = {
    isTerminal: false,
    write: (text: string) => void lines.push(text.slice("2026-01-01T12:00:30Z ".length, -1)),
  };
  const log = new HealthLog({ clock, output: output as never, mask: new Mask(), isJson: false });
  monitor.listen((event) => {
    if (event.type === "schedule") log.event(event, () => undefined);
    if (event.type === "notice") alerts.push(event.notice);
  });
  monitor.add({
    key: { name: "Smoke", file: "smoke.yaml", server: "embedded", tags: [], when: "" },
    ...{ file: "smoke.yaml", cases: [], jitter: 0, maintenance: [], isTold: true },
    next: cronTimes("* * * * *", "UTC"),
    alerting: { rules: rules ?? { after: 1e9, resolveAfter: 1 }, targets: [] },
    ...recipe,
  });
  schedule.ended = monitor.run(false);
  return schedule;
}

test("cron times follow the time zone, with daylight saving", () => {
  const next = cronTimes("0 9 * * *", "Europe/Berlin");
  assert.equal(iso(next(Date.UTC(2026, 0, 1))), "2026-01-01T08:00:00.000Z");
  assert.equal(iso(next(Date.UTC(2026, 6, 1))), "2026-07-01T07:00:00.000Z");
  assert.equal(cronTimes("0 0 0 1 1 * 2020", "UTC")(START), undefined);
});

test("on days of 23 and 25 hours each scheduled time comes once, and windows keep their length", () => {
  const day = (cron: string, from: number, count: number) => {
    const next = cronTimes(cron, "Europe/Berlin");
    const times: string[] = [];
    for (let at = from; times.length < count;) times.push(iso(at = next(at)!)!.slice(5, 16));
    return times;
  };
  // 02:30 is left out in spring, and comes twice in autumn.
  const [spring, autumn] = [Date.UTC(2026, 2, 28, 12), Date.UTC(2026, 9, 24, 12)];
  assert.deepEqual(day("30 2 * * *", spring, 2), ["03-29T01:00", "03-30T00:30"]);
  assert.deepEqual(day("30 2 * * *", autumn, 2), ["10-25T00:30", "10-26T01:30"]);
  const hours = day("0 * * * *", Date.UTC(2026, 9, 24, 22), 26);
  assert.deepEqual([hours[1], hours[2], hours[3]], ["10-25T00:00", "10-25T01:00", "10-25T02:00"]);
  assert.equal(new Set(hours).size, 26);
  const window = cronWindows(cronTimes("30 2 * * *", "Europe/Berlin"), 60 * MINUTE);
  const at = (hour: number, minute: number) => window(Date.UTC(2026, 9, 25, hour, minute));
  assert.deepEqual([at(0, 29), at(1, 30)], [undefined, undefined]);
  assert.equal(at(0, 30)!.to, Date.UTC(2026, 9, 25, 1, 30));
});

test("times at equal distances do not depend on the start, and differ by name", () => {
  const next = intervalTimes(30_000, "smoke.yaml");
  const first = next(START)!;
  assert.ok(first > START && first <= START + 30_000);
  assert.equal(next(first), first + 30_000);
  assert.equal(next(first - 1), first);
  const firsts = Array.from({ length: 20 }, (_, i) => intervalTimes(30_000, `${i}.yaml`)(START));
  assert.ok(new Set(firsts).size > 10);
});

test("a maintenance window includes its start and excludes its end", () => {
  const nightly = cronWindows(cronTimes("0 3 * * *", "UTC"), 60 * MINUTE);
  const at = (hour: number, minute: number, ms = 0) => Date.UTC(2026, 0, 5, hour, minute, 0, ms);
  assert.equal(nightly(at(2, 59, 59_999)), undefined);
  assert.deepEqual(nightly(at(3, 0)), { from: at(3, 0), to: at(4, 0) });
  assert.deepEqual(nightly(at(3, 59, 59_999)), { from: at(3, 0), to: at(4, 0) });
  assert.equal(nightly(at(4, 0)), undefined);
  const once = fixedWindow({ from: at(1, 0), to: at(2, 0) });
  assert.deepEqual([at(0, 59), at(1, 0), at(2, 0)].map((time) => once(time) !== undefined), [
    false,
    true,
    false,
  ]);
});

test("a recipe runs at its scheduled times, delayed by a random part of the jitter", async () => {
  const punctual = await startSchedule();
  await advance(punctual.clock, 3 * MINUTE);
  assert.deepEqual(punctual.runs, ["12:01:00", "12:02:00", "12:03:00"]);
  const delayed = await startSchedule({ jitter: 40_000 }, () => 0.5);
  await advance(delayed.clock, 3 * MINUTE);
  assert.deepEqual(delayed.runs, ["12:01:20", "12:02:20", "12:03:20"]);
  for (const schedule of [punctual, delayed]) {
    schedule.stop();
    assert.equal(await schedule.ended, false);
    assert.equal(schedule.runs.length, 3);
    assert.equal(schedule.clock.pending, 0);
  }
});

test("a jitter longer than the interval drops no run", async () => {
  const schedule = await startSchedule({ jitter: 100_000 }, () => 0.9);
  await advance(schedule.clock, 5 * MINUTE);
  assert.deepEqual(schedule.runs, ["12:02:30", "12:03:30", "12:04:30", "12:05:30"]);
});

test("skips a run while the last one is still in progress", async () => {
  const finish: (() => void)[] = [];
  let runs = 0;
  const schedule = await startSchedule({
    run: () => {
      runs++;
      return new Promise((resolve) => finish.push(() => resolve({ exitCode: 0 })));
    },
  });
  await advance(schedule.clock, 2 * MINUTE);
  assert.equal(runs, 1);
  assert.deepEqual(schedule.lines, [
    "Smoke: skipped at 2026-01-01T12:02:00Z: its run of 2026-01-01T12:01:00Z is still in progress",
  ]);
  finish[0]!();
  await advance(schedule.clock, MINUTE);
  assert.equal(runs, 2);
});

test("skips runs in a maintenance window, and logs that", async () => {
  const from = START + MINUTE;
  const schedule = await startSchedule({ maintenance: [fixedWindow({ from, to: from + 90_000 })] });
  await advance(schedule.clock, 4 * MINUTE);
  assert.deepEqual(schedule.runs, ["12:01:00", "12:03:00", "12:04:00"]);
  assert.deepEqual(schedule.lines, [
    "Smoke: skipped at 2026-01-01T12:02:00Z: maintenance until 2026-01-01T12:03:00Z",
  ]);
});

test("does not make up for times that passed while the machine slept, and says which", async () => {
  const schedule = await startSchedule();
  schedule.clock.sleep(60 * MINUTE);
  await advance(schedule.clock, 1);
  assert.deepEqual(schedule.runs, []);
  await advance(schedule.clock, MINUTE);
  assert.deepEqual(schedule.runs, ["13:01:00"]);
  assert.deepEqual(schedule.lines, [
    "Smoke: missed 60 runs of 2026-01-01T12:01:00Z to 2026-01-01T13:00:00Z, " +
    "while the machine slept or was busy, or its clock was set; not made up for",
  ]);
});

test("says that one run was missed, and runs one that is only a little late", async () => {
  const schedule = await startSchedule();
  schedule.clock.sleep(50_000);
  await advance(schedule.clock, 1);
  assert.deepEqual(schedule.runs, ["12:01:20"]);
  schedule.clock.sleep(75_000);
  await advance(schedule.clock, 1);
  assert.deepEqual(schedule.runs, ["12:01:20"]);
  assert.match(schedule.lines[0]!, /^Smoke: missed the run of 2026-01-01T12:02:00Z, while /);
  schedule.stop();
  await schedule.ended;
});

test("counts no more than 10,000 missed runs", async () => {
  const schedule = await startSchedule({ next: cronTimes("* * * * * *", "UTC") });
  schedule.clock.sleep(24 * 60 * MINUTE);
  await advance(schedule.clock, 1);
  assert.match(
    schedule.lines[0]!,
    /^Smoke: missed at least 10000 runs of 2026-01-01T12:00:31Z to 2026-01-02T12:00:30Z, while /,
  );
  await advance(schedule.clock, 3_000, 500);
  assert.equal(schedule.lines.length, 1);
  assert.deepEqual(schedule.runs, ["12:00:31", "12:00:32", "12:00:33"]);
  schedule.stop();
  await schedule.ended;
});

test("a schedule of every second goes on when the clock is set back, or forward", async () => {
  for (const ms of [-30_000, -3_600_000, -500, 3_600_000, 20_000]) {
    const schedule = await startSchedule({ next: cronTimes("* * * * * *", "UTC") });
    await advance(schedule.clock, 3_000, 500);
    assert.equal(schedule.runs.length, 3);
    schedule.clock.setWall(ms);
    await advance(schedule.clock, 10_000, 500);
    assert.ok(Math.abs(schedule.runs.length - 13) <= 1, `${ms}: ${schedule.runs.length} runs`);
    schedule.stop();
    await schedule.ended;
    assert.equal(schedule.clock.pending, 0);
  }
});

test("the next time follows the clock after it was set", async () => {
  for (
    const [ms, expected] of [
      // 12:00:30 becomes 11:00:30, so 13:00 comes after two hours.
      [-60 * MINUTE, ["12:00:00", "13:00:00"]],
      [30 * MINUTE, ["13:00:00"]],
    ] as const
  ) {
    const schedule = await startSchedule({ next: cronTimes("0 * * * *", "UTC") });
    await advance(schedule.clock, 30_000);
    schedule.clock.setWall(ms);
    await advance(schedule.clock, (ms < 0 ? 119 : 31) * MINUTE);
    assert.deepEqual(schedule.runs, expected);
    schedule.stop();
    await schedule.ended;
  }
});

test("a small correction of the clock does not repeat a run", async () => {
  const schedule = await startSchedule();
  await advance(schedule.clock, 30_000);
  assert.deepEqual(schedule.runs, ["12:01:00"]);
  schedule.clock.setWall(-20_000);
  await advance(schedule.clock, 30_000);
  assert.equal(schedule.runs.length, 1);
  schedule.stop();
  await schedule.ended;
});

test("a run is repeated when the clock is set back so far that the next one would come late", async () => {
  const times = { next: cronTimes("0 * * * *", "UTC"), jitter: 0 };
  const runsAfter = async (back: number) => {
    const schedule = await startSchedule(times);
    await advance(schedule.clock, 60 * MINUTE);
    schedule.clock.setWall(-back * MINUTE);
    await advance(schedule.clock, 65 * MINUTE);
    schedule.stop();
    await schedule.ended;
    return schedule.runs;
  };
  // It ran at 13:00. From 12:29 on that comes again sooner than 14:00 would be due.
  assert.deepEqual(await runsAfter(59), ["13:00:00", "13:00:00"]);
  assert.deepEqual(await runsAfter(31), ["13:00:00", "13:00:00"]);
  assert.deepEqual(await runsAfter(29), ["13:00:00"]);
});

test("reminders go on when the clock is set back", async () => {
  const rules = { after: 1, resolveAfter: 1, remind: MINUTE };
  const schedule = await startSchedule({ rules, next: cronTimes("1 * * * *", "UTC") });
  schedule.outcome = { exitCode: 1 };
  await advance(schedule.clock, MINUTE);
  schedule.clock.setWall(-50 * MINUTE);
  await advance(schedule.clock, 5 * MINUTE);
  assert.deepEqual(schedule.alerts.map(({ kind }) => kind), [
    "raised",
    ...Array.from({ length: 5 }, () => "reminder"),
  ]);
  schedule.stop();
  await schedule.ended;
});

test("ends when there are no further scheduled times", async () => {
  const schedule = await startSchedule({ next: () => undefined });
  assert.equal(await schedule.ended, false);
  assert.deepEqual(schedule.lines, ["Smoke: no further runs"]);
});

test("waits for the running recipe when it is stopped, and reports the interruption", async () => {
  let finish = () => {};
  const schedule = await startSchedule({
    run: (signal) =>
      new Promise((resolve) => {
        finish = () => resolve({ exitCode: signal.aborted ? 130 : 0 });
      }),
  });
  await advance(schedule.clock, MINUTE);
  let hasEnded = false;
  schedule.ended.then(() => hasEnded = true);
  schedule.stop();
  await advance(schedule.clock, MINUTE);
  assert.equal(hasEnded, false);
  finish();
  assert.equal(await schedule.ended, true);
});

/** Shows the notification after each run of a series: `A` raised, `R` resolved, `.` none. */
function notifications(series: string, rules: AlertRules): string {
  let state: AlertState = NEVER_RUN;
  return [...series].map((sign, at) => {
    const step = afterRun(state, sign === "+", at, rules);
    state = step.state;
    return { raised: "A", resolved: "R", flapping: "F" }[step.change!] ?? ".";
  }).join("");
}

test("consecutive failures raise an alert, and consecutive passes resolve it", () => {
  for (
    const [after, resolveAfter, series, expected] of [
      [1, 1, "+-+-", ".ARA"],
      [3, 2, "--+---", ".....A"],
      [3, 2, "----", "..A."],
      [2, 2, "--+-++", ".A...R"],
      [2, 1, "--+--", ".AR.A"],
    ] as const
  ) assert.equal(notifications(series, { after, resolveAfter }), expected, series);
});

test("an alert names the time and number of failures, and repeats until resolved", async () => {
  const rules = { after: 2, resolveAfter: 1, remind: 4.5 * MINUTE };
  // Fails at 12:01, 12:02 and 12:03. The next run is at 12:30.
  const next = cronTimes("1,2,3,30 * * * *", "UTC");
  const schedule = await startSchedule({ rules, next });
  schedule.outcome = { exitCode: 1, failure: "it is false" };
  await advance(schedule.clock, 12 * MINUTE);
  const sent = () =>
    schedule.alerts.map(({ kind, at, failures }) => [kind, iso(at)?.slice(11, 19), failures]);
  assert.deepEqual(sent(), [
    ["raised", "12:02:00", 2],
    ["reminder", "12:06:30", 3],
    ["reminder", "12:11:00", 3],
  ]);
  // A longer timer would be late after the machine slept.
  assert.ok(schedule.clock.due.every((ms) => ms <= MINUTE));
  assert.equal(iso(schedule.alerts[0]!.since), "2026-01-01T12:01:00.000Z");
  assert.equal(schedule.alerts[0]!.failure, "it is false");
  schedule.outcome = { exitCode: 0 };
  await advance(schedule.clock, 30 * MINUTE);
  assert.deepEqual(sent().slice(-2).map(([kind]) => kind), ["reminder", "resolved"]);
  assert.equal(schedule.alerts.at(-1)!.failure, undefined);
  assert.equal(schedule.clock.pending, 2, "only the timers of the next run and of reminders");
  schedule.stop();
  await schedule.ended;
  assert.equal(schedule.clock.pending, 0);
});

test("sends no reminders in a maintenance window", async () => {
  const rules = { after: 1, resolveAfter: 1, remind: MINUTE };
  const window = { from: START + MINUTE, to: START + 4 * MINUTE };
  const schedule = await startSchedule({
    rules,
    maintenance: [fixedWindow(window)],
    next: cronTimes("1 * * * *", "UTC"),
  });
  schedule.outcome = { exitCode: 3 };
  await advance(schedule.clock, 6 * MINUTE);
  assert.deepEqual(schedule.alerts.map(({ at }) => iso(at)?.slice(11, 16)), [
    "12:01",
    "12:05",
    "12:06",
  ]);
  schedule.stop();
  await schedule.ended;
  assert.equal(schedule.clock.pending, 0);
});

test("an interrupted run counts neither as a failure nor as a pass", async () => {
  const exitCodes = [1, 130, 1, 0];
  const schedule = await startSchedule({
    rules: { after: 2, resolveAfter: 1 },
    run: () => Promise.resolve({ exitCode: exitCodes.shift() ?? 0 }),
  });
  await advance(schedule.clock, 4 * MINUTE);
  assert.deepEqual(schedule.alerts.map(({ kind, at }) => [kind, iso(at)?.slice(11, 16)]), [
    ["raised", "12:03"],
    ["resolved", "12:04"],
  ]);
});
