import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Histogram } from "../../runner/health/histogram.ts";
import type { Figures } from "../../runner/health/model.ts";
import { HealthStore } from "../../runner/health/health_store.ts";
import { DAY, HOUR } from "../../runner/health/periods.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ALERTING, KEY, runAt, Stores } from "./_health.ts";

/** What the figures of durations must be, counted from all of them. */
function figures(runs: readonly { passed: boolean; ms: number }[], share: number) {
  const passed = runs.filter((run) => run.passed).map(({ ms }) => ms).sort((a, b) => a - b);
  return passed[Math.max(0, Math.ceil(passed.length * share) - 1)];
}

test("a histogram names a duration that is at most a quarter too large", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0.1, max: 1e8, noNaN: true }), { minLength: 1, maxLength: 200 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (durations, share) => {
      const histogram = new Histogram();
      for (const ms of durations) histogram.add(ms);
      const copy = new Histogram();
      copy.merge(Histogram.parse(String(histogram)));
      const exact = Math.max(1, figures(durations.map((ms) => ({ passed: true, ms })), share)!);
      const found = copy.quantile(share)!;
      ok(found >= exact * 0.999 && found <= exact * 1.251, `${found} for ${exact}`);
    },
  ));
});

test("figures count each run once, however often periods are made of them", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  const all: { at: number; passed: boolean; ms: number }[] = [];
  // A run each 50 minutes for ten days: some hours have two.
  for (let i = 0; i < 288; i++) {
    stores.clock.advance(50 * 60_000);
    const run = { at: stores.clock.now(), passed: i % 7 !== 0, ms: 10 + i };
    all.push(run);
    store.record(check, runAt(run.at, run.passed, run.ms), { ...ALERTING, targets: [] });
    for (let work = 0; work < 3; work++) store.keep();
  }
  const now = stores.clock.now();
  const found = store.refresh(check.id)!;
  const expect = (one: Figures, ms: number, slack: number) => {
    const inside = all.filter(({ at }) => at > now - ms);
    ok(Math.abs(one.runs - inside.length) <= slack, `${one.runs} of ${inside.length}`);
    ok(Math.abs(one.uptime! - 6 / 7) < 0.06, `${one.uptime}`);
    const p50 = figures(inside, 0.5)!;
    ok(one.p50_ms! >= p50 * 0.95 && one.p50_ms! <= p50 * 1.3, `${one.p50_ms} for ${p50}`);
  };
  expect(found.day, DAY, 2);
  expect(found.week, 7 * DAY, 2);
  equal(found.quarter.runs, all.length);
  equal(found.quarter.uptime, all.filter(({ passed }) => passed).length / all.length);
});

test("a day counts in the figures of 90 days as long as its end lies in them", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  stores.clock.advance(12 * HOUR);
  // More than the newest ones, which are kept as they are.
  for (let i = 0; i < 201; i++) {
    store.record(check, runAt(stores.clock.now(), true), { ...ALERTING, targets: [] });
  }
  for (let day = 0; day < 89; day++) {
    stores.clock.advance(DAY);
    for (let work = 0; work < 3; work++) store.keep();
  }
  const runsAfter = (ms: number) => {
    stores.clock.advance(ms);
    return store.refresh(check.id)!.quarter.runs;
  };
  // By now 89.5 days have passed since the beginning of the day.
  deepEqual([runsAfter(0), runsAfter(23 * HOUR), runsAfter(13 * HOUR)], [201, 201, 0]);
});

test("runs beyond the newest are deleted once they are counted, and figures stay", async () => {
  await using stores = await Stores.create();
  const store = await stores.open();
  const check = store.register(KEY);
  for (let i = 0; i < 500; i++) {
    stores.clock.advance(60_000);
    store.record(check, runAt(stores.clock.now(), true), { ...ALERTING, targets: [] });
  }
  equal(store.runs(check.id, 1_000).length, 500);
  stores.clock.advance(2 * HOUR);
  for (let i = 0; i < 10; i++) store.keep();
  equal(store.runs(check.id, 1_000).length, 200);
  equal(store.refresh(check.id)!.day.runs, 500);
});

test("what is older than the limit is deleted, but open incidents stay", async () => {
  await using stores = await Stores.create();
  const store = await stores.open({ ms: 2 * DAY });
  const [old, open] = [KEY, { ...KEY, name: "Open" }].map((key) => store.register(key));
  for (const check of [old!, open!]) {
    store.record(check, runAt(stores.clock.now(), false), { ...ALERTING, targets: [] });
  }
  stores.clock.advance(1_000);
  store.record(old!, runAt(stores.clock.now(), true), { ...ALERTING, targets: [] });
  for (let day = 0; day < 5; day++) {
    stores.clock.advance(DAY);
    for (let i = 0; i < 10; i++) store.keep();
  }
  deepEqual(store.runs(old!.id, 10), []);
  deepEqual(store.incidents(10).map(({ check }) => check), [open!.id]);
  equal(store.refresh(old!.id)!.quarter.runs, 0);
});

/** Opens the file as a process that starts with another time, and works on it for some hours. */
async function workLater(
  stores: Stores,
  { after, hours, keep }: { after: number; hours: number; keep: { ms: number } },
): Promise<void> {
  const clock = new FakeClock(stores.clock.now() + after);
  const store = await HealthStore.open(stores.path, {
    ...{ clock, keep, warn: (text: string) => void stores.warnings.push(text), sender: "later" },
  });
  for (let hour = 0; hour < hours; hour++) {
    clock.advance(HOUR);
    for (let i = 0; i < 5; i++) store.keep();
  }
  store.close();
}

test("a clock that is a year ahead for an hour deletes nothing and spoils no figures", async () => {
  await using stores = await Stores.create();
  const store = await stores.open({ ms: 10 * DAY });
  const check = store.register(KEY);
  const record = (hours: number) => {
    for (let hour = 0; hour < hours; hour++) {
      stores.clock.advance(HOUR);
      store.record(check, runAt(stores.clock.now(), true), { ...ALERTING, targets: [] });
      for (let i = 0; i < 5; i++) store.keep();
    }
  };
  record(9 * 24);
  const before = store.refresh(check.id)!;
  equal(before.quarter.runs, 216);
  stores.clock.setWall(365 * DAY);
  record(1);
  stores.clock.setWall(-365 * DAY);
  record(3);
  equal(store.runs(check.id, 500).length, 200, "the newest are kept");
  const after = store.refresh(check.id)!;
  equal(after.quarter.runs, 216 + 3, "the run a year ahead is not of this quarter");
  ok(Math.abs(after.day.runs - 24) <= 1, `${after.day.runs}`);
  equal(stores.warnings.length, 0);
});

test("a process that starts with a clock ahead deletes nothing; one that stops long catches up", async () => {
  await using stores = await Stores.create();
  const keep = { ms: 10 * DAY };
  const store = await stores.open(keep);
  const check = store.register(KEY);
  store.record(check, runAt(stores.clock.now(), true), { ...ALERTING, targets: [] });
  stores.clock.advance(DAY);
  for (let i = 0; i < 5; i++) store.keep();
  const runs = () => store.refresh(check.id)!.quarter.runs;
  // Each time it is newly started, as by a supervisor.
  for (let i = 0; i < 5; i++) await workLater(stores, { after: 365 * DAY, hours: 1, keep });
  equal(runs(), 1);
  await workLater(stores, { after: 20 * DAY, hours: 24, keep });
  equal(runs(), 1);
  await workLater(stores, { after: 21 * DAY, hours: 3 * 24, keep });
  equal(runs(), 0);
});
