import { equal, rejects } from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../runner/cli/args.ts";
import { awaitHistory } from "../../runner/cli/health/await_history.ts";
import { HistoryError, historyError } from "../../runner/history/error.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Opens a history that fails with each of some errors in turn. */
function opening(...errors: Error[]) {
  const clock = new FakeClock();
  const stop = new AbortController();
  let [told, attempts] = ["", 0];
  const err = { isTerminal: false, color: false, write: (text: string) => void (told += text) };
  const opened = awaitHistory(() => {
    const error = errors[attempts++];
    return error ? Promise.reject(error) : Promise.resolve("open");
  }, { clock, signal: stop.signal, err: err as never });
  return { clock, stop, opened, told: () => told, attempts: () => attempts };
}

const problem = (reason: string) => historyError("open", "h.db", new Error(reason));

test("a schedule waits for a history that is locked or full, and says so once", async () => {
  const wrapped = new UsageError("Cannot write history 'h.db': it is full", {
    cause: problem("database or disk is full"),
  });
  const { clock, opened, told, attempts } = opening(problem("database is locked"), wrapped);
  equal(await clock.runUntil(opened, 500), "open");
  equal(attempts(), 3);
  equal(
    told(),
    "warning: Cannot open history 'h.db': database is locked; " +
      "nothing is checked until it can be used\n",
  );
  equal(clock.pending, 0);
});

test("a history that another attempt could not open either is an error at once", async () => {
  for (
    const error of [
      problem("unable to open database file"),
      new HistoryError("foreign", "Cannot open history 'h.db': it is another kind of file"),
      new UsageError("Cannot listen"),
    ]
  ) {
    const { opened, told, attempts } = opening(error);
    await rejects(opened, error);
    equal(attempts(), 1);
    equal(told(), "");
  }
});

test("a schedule that waits for its history ends when it is stopped", async () => {
  const error = problem("disk I/O error");
  const { clock, stop, opened } = opening(error, error, error);
  const ended = rejects(opened, error);
  await new Promise((resolve) => setTimeout(resolve, 0));
  stop.abort();
  await ended;
  equal(clock.pending, 0);
});
