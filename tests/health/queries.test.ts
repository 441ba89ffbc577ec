import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { decideEnd, decideRun } from "../../runner/health/decide.ts";
import { HealthDatabase } from "../../runner/health/health_database.ts";
import { keep, startKeeping } from "../../runner/health/keep.ts";
import { allWaiting, claim, settle, waitingTargets } from "../../runner/health/outbox.ts";
import { figuresOf } from "../../runner/health/periods.ts";
import { RetentionClock } from "../../runner/health/retention_clock.ts";
import { openMemory } from "../../runner/history/database.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { KEY, runAt } from "./_health.ts";

/** Tables that grow with time, and so must never be read as a whole. */
const LARGE = /^SCAN (i|health_run|health_period|health_incident|health_notice)\b(?!.* USING )/;

test("no query reads or sorts a whole table that grows with time", async () => {
  const sql = await openMemory();
  const plans = new Map<string, string[]>();
  const prepare = sql.prepare.bind(sql);
  sql.prepare = (text: string) => {
    if (!text.startsWith("PRAGMA")) {
      const details = prepare(`EXPLAIN QUERY PLAN ${text}`).all().map(({ detail }) => `${detail}`);
      plans.set(text, details);
    }
    return prepare(text);
  };
  const database = new HealthDatabase(sql);
  const clock = new FakeClock();
  const check = { ...KEY, id: "smoke" };
  const settings = {
    ...{ rules: { after: 1, resolveAfter: 1 }, targets: ["ops"], now: clock.now() },
    at: clock.now(),
  };
  const before = () => ({
    alert: database.alert(check) ?? { at: 0, failures: 0, passes: 0 },
    incident: database.incident(check),
  });
  database.write(decideRun(check, runAt(clock.now(), false), before(), settings));
  database.inIncident();
  database.write(decideEnd(check, before(), settings)!);
  database.incidents({ limit: 20 });
  database.incidents({ limit: 20, check });
  database.runs(check, 60);
  database.bars(check, 60);
  figuresOf(database, check, clock.now());
  waitingTargets(database);
  const next = claim(database, "ops", "me", clock.now())!;
  ok("send" in next);
  settle(database, next.send, { again: 0 });
  settle(database, next.send, "done");
  const times = { now: clock.now(), at: clock.now(), retention: new RetentionClock(clock) };
  const progress = startKeeping();
  for (let turn = 0; turn < 3; turn++) keep(database, progress, { ms: 1, bytes: 1 }, times);
  ok(plans.size > 25, `${plans.size}`);
  const slow = [...plans].filter(([, details]) =>
    details.some((detail) => LARGE.test(detail) || detail === "USE TEMP B-TREE FOR ORDER BY")
  );
  const exempt = [
    // At the start of a schedule that cannot write; the few checks that are in an incident.
    /FROM health_notice ORDER BY id$/,
    /WHERE resolved_at IS NULL ORDER BY c\.id$/,
    // The last row of a table; some hundred hours and days of one check.
    /FROM health_run ORDER BY id DESC LIMIT 1$/,
    /^DELETE FROM health_period /,
  ];
  deepEqual(slow.filter(([text]) => !exempt.some((pattern) => pattern.test(text))), []);
  allWaiting(database);
  sql.close();
});
