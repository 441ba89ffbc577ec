import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  afterRun,
  type AlertChange,
  type AlertRules,
  type AlertState,
  NEVER_RUN,
  rebase,
} from "../../runner/health/alert_rules.ts";

/** Shows what each run changes: one each second, `+` passes and `-` fails. */
function changes(series: string, rules: AlertRules, start = 1_000): string {
  let state: AlertState = NEVER_RUN;
  return [...series].map((sign, i) => {
    const step = afterRun(state, sign === "+", start + i * 1_000, rules);
    state = step.state;
    return step.change ? { raised: "A", flapping: "F", resolved: "R" }[step.change] : ".";
  }).join("");
}

test("`within` counts failures of a period that are not in a row", () => {
  const rules = { after: 1, resolveAfter: 1, within: { failures: 3, ms: 5_000 } };
  equal(changes("-+-+-", rules), "....A");
  // The first failure is out of the period when the third comes.
  equal(changes("-++-+-", rules), "......");
  // It is resolved once another failure would not raise it again.
  equal(changes("---++++", rules), "..A..R.");
});

test("an alert that changes too often is flapping until its check has been stable", () => {
  const rules = { after: 1, resolveAfter: 1, flapping: { changes: 5, ms: 60_000 } };
  const series = "-+-+-+-+" + "+".repeat(28) + "+-";
  const shown = changes(series, rules);
  equal(shown.slice(0, 8), "ARARF...");
  // Stable means half of the period after the last failure, which is the seventh run.
  equal(shown.indexOf("R", 5), 6 + 30);
});

const anyRules: fc.Arbitrary<AlertRules> = fc.record({
  after: fc.integer({ min: 1, max: 4 }),
  resolveAfter: fc.integer({ min: 1, max: 4 }),
  within: fc.option(
    fc.record({ failures: fc.integer({ min: 2, max: 4 }), ms: fc.integer({ min: 1, max: 9_000 }) }),
    { nil: undefined },
  ),
  flapping: fc.option(
    fc.record({
      changes: fc.integer({ min: 2, max: 6 }),
      ms: fc.integer({ min: 1_000, max: 60_000 }),
    }),
    { nil: undefined },
  ),
}).map(({ after, resolveAfter, within, flapping }) => ({
  ...{ after, resolveAfter },
  ...(within ? { within } : {}),
  ...(flapping ? { flapping } : {}),
}));

const anyRuns = fc.array(
  fc.record({ passed: fc.boolean(), gap: fc.integer({ min: 0, max: 10_000 }) }),
  { maxLength: 60 },
);

test("raises and resolves alternate, whatever the rules and the runs are", () => {
  fc.assert(fc.property(anyRules, anyRuns, (rules, runs) => {
    let state: AlertState = NEVER_RUN;
    let at = 1;
    const seen: AlertChange[] = [];
    for (const { passed, gap } of runs) {
      at += gap;
      const step = afterRun(state, passed, at, rules);
      ({ state } = step);
      if (step.change) {
        seen.push(step.change);
        // Only a failure raises, and only a pass resolves.
        equal(passed, step.change === "resolved");
      }
      ok((state.recent?.length ?? 0) <= 61 && (state.changes?.length ?? 0) <= 61);
      equal(state.raised !== undefined, seen.length % 2 === 1);
      if (state.raised) ok(state.since !== undefined && state.since <= at);
    }
    deepEqual(seen.map((change) => change === "resolved"), seen.map((_, i) => i % 2 === 1));
  }));
});

test("a clock that is set back between two processes changes no decision", () => {
  fc.assert(fc.property(anyRules, anyRuns, fc.nat(60), (rules, runs, cut) => {
    const decide = (setBack: number) => {
      let state: AlertState = NEVER_RUN;
      let at = 1e9;
      return runs.map(({ passed, gap }, i) => {
        // The time that passes while the clock is set cannot be known.
        at = i === cut ? at - setBack : at + gap;
        state = rebase(state, at);
        const step = afterRun(state, passed, at, rules);
        state = step.state;
        return step.change;
      });
    };
    deepEqual(decide(1e6), decide(0));
  }));
});
