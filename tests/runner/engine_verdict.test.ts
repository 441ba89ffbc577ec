// How the outcome of a case follows from its failures, and how long its clean-up may take.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALWAYS_TIMEOUT, CleanUpBudget } from "../../runner/engine/cleanup_budget.ts";
import { Verdict } from "../../runner/engine/verdict.ts";
import type { EventFailure, FailureKind } from "../../runner/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

const failure = (kind: FailureKind, more: Partial<EventFailure> = {}): EventFailure => ({
  kind,
  message: `a failure of kind ${kind}`,
  lines: [],
  ...more,
});

test("a case without a failure has passed if it has checked something", () => {
  const verdict = new Verdict();
  assert.equal(verdict.failed, false);
  assert.deepEqual(verdict.result(), { status: "unchecked", flaky: false });
  verdict.checks = 1;
  assert.deepEqual(verdict.result(), { status: "passed", flaky: false });
});

for (
  const [kind, status] of [
    ["assertion", "failed"],
    ["wait", "failed"],
    ["deadline", "failed"],
    ["evaluation", "failed"],
    ["thrown", "failed"],
    ["server", "errored"],
    ["connection", "errored"],
    ["interrupted", "interrupted"],
  ] as const
) {
  test(`a failure of kind \`${kind}\` makes a case ${status}`, () => {
    const verdict = new Verdict();
    verdict.checks = 1;
    verdict.fail(failure(kind));
    assert.equal(verdict.failed, true);
    assert.deepEqual(verdict.result(), { status, flaky: false, failure: failure(kind) });
  });
}

test("a call that ends the process makes a case errored; a failure with any other code does not", () => {
  const status = (code: string) => {
    const verdict = new Verdict();
    verdict.fail(failure("thrown", { code }));
    return verdict.result().status;
  };
  assert.equal(status("exit_call"), "errored");
  assert.equal(status("other"), "failed");
});

test("the first failure decides the status, which can be given with it", () => {
  const verdict = new Verdict();
  verdict.fail(failure("evaluation"), "errored");
  verdict.fail(failure("assertion"));
  verdict.fail(failure("interrupted"), "interrupted");
  assert.deepEqual(verdict.result(), {
    status: "errored",
    flaky: false,
    failure: failure("evaluation"),
  });
});

test("only a case that has passed is flaky", () => {
  const verdict = new Verdict();
  verdict.flaky = true;
  assert.deepEqual(verdict.result(), { status: "unchecked", flaky: false });
  verdict.checks = 1;
  assert.deepEqual(verdict.result(), { status: "passed", flaky: true });
  verdict.fail(failure("assertion"));
  assert.equal(verdict.result().flaky, false);
});

test("the checks and retries of nested recipes add up, and their failures do not", () => {
  const outer = new Verdict();
  outer.checks = 1;
  for (const [checks, flaky] of [[2, false], [3, true], [4, false]] as const) {
    const nested = new Verdict();
    nested.checks = checks;
    nested.flaky = flaky;
    if (checks === 2) nested.fail(failure("assertion"));
    outer.include(nested);
    assert.equal(outer.flaky, checks > 2);
  }
  assert.equal(outer.checks, 10);
  assert.deepEqual(outer.result(), { status: "passed", flaky: true });
});

test("the clean-up has one deadline, which counts from the first call", () => {
  const clock = new FakeClock(0);
  const budget = new CleanUpBudget(clock);
  clock.advance(500);
  assert.equal(budget.isRunning, false);
  assert.equal(budget.deadline(), 500 + ALWAYS_TIMEOUT);
  assert.equal(budget.isRunning, true);
  clock.advance(500);
  assert.equal(budget.deadline(), 500 + ALWAYS_TIMEOUT);
});

test("the clean-up counts as running once the steps were stopped", () => {
  const stop = new AbortController();
  const budget = new CleanUpBudget(new FakeClock());
  budget.stopWith(stop.signal);
  assert.equal(budget.isRunning, false);
  stop.abort();
  assert.equal(budget.isRunning, true);
});

test("a nested recipe has its own clean-up time unless the outer one is cleaning up", () => {
  const clock = new FakeClock(0);
  const outer = new CleanUpBudget(clock);
  const nested = new CleanUpBudget(clock, outer);
  assert.equal(nested.deadline(), ALWAYS_TIMEOUT);
  assert.equal(outer.isRunning, false);
  clock.advance(1_000);
  assert.equal(outer.deadline(), 1_000 + ALWAYS_TIMEOUT);
});

test("a nested recipe shares the clean-up time of an outer one that was stopped or is cleaning up", () => {
  const clock = new FakeClock(0);
  const outer = new CleanUpBudget(clock);
  outer.deadline();
  clock.advance(1_000);
  assert.equal(new CleanUpBudget(clock, outer).deadline(), ALWAYS_TIMEOUT);

  const stop = new AbortController();
  const stopped = new CleanUpBudget(clock);
  stopped.stopWith(stop.signal);
  stop.abort();
  assert.equal(new CleanUpBudget(clock, stopped).deadline(), 1_000 + ALWAYS_TIMEOUT);
  clock.advance(1_000);
  assert.equal(stopped.deadline(), 1_000 + ALWAYS_TIMEOUT);
});
