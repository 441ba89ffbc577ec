import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { DispatchAdmin } from "../../client/http/dispatch_admin.ts";
import { DispatchError } from "../../mod.ts";
import { RowCounter } from "../../runner/cli/calls/count_rows.ts";
import { RowJournal } from "../../runner/cli/calls/row_journal.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { withFiles } from "./_recipe.ts";

const HEADER = { sha256: "0", rows: 100, name: "a", queue: "default", priority: 0, server: "ws:" };

/** How many jobs a server has, and before that what it answers first. */
interface Counted {
  jobs: number;
  counts?: object[];
  error?: DispatchError;
}

/** A journal in memory, and a counter whose server has as many jobs as `server.jobs` says. */
async function counting(
  use: (
    it: {
      journal: RowJournal;
      counter: RowCounter;
      server: Counted;
      clock: FakeClock;
      reopen: () => Promise<RowJournal>;
    },
  ) => Promise<void>,
): Promise<void> {
  await withFiles({ "a.txt": "" }, async (directory) => {
    const path = join(directory, "journal");
    const clock = new FakeClock();
    const server: Counted = { jobs: 5 };
    const admin = {
      counts: () => {
        const { error } = server;
        if (error) throw error;
        return Promise.resolve(
          server.counts?.shift() ?? { pending: server.jobs, completed: 0, retrying: 0 },
        );
      },
    } as unknown as DispatchAdmin;
    const signal = new AbortController().signal;
    using journal = await RowJournal.open(path, HEADER);
    const counter = new RowCounter(journal, { admin, clock, signal });
    const reopen = async () => {
      journal[Symbol.dispose]();
      return await RowJournal.open(path, HEADER);
    };
    const timer = setInterval(() => clock.advance(100), 1);
    try {
      await use({ journal, counter, server, clock, reopen });
    } finally {
      clearInterval(timer);
    }
  });
}

const of = (rows: Iterable<number>) => [...rows];

test("the first rows are those that arrived, as many as the server has jobs more", async () => {
  for (const arrived of [0, 1, 3]) {
    await counting(async ({ journal, counter, server }) => {
      await counter.note();
      journal.sending([1, 2, 3, 4]);
      journal.sent(1, "job_1");
      server.jobs += 1 + arrived;
      journal.cuts = 1;
      await counter.resolve();
      assert.deepEqual(of(journal.arrived), [2, 3, 4].slice(0, arrived));
      assert.deepEqual(of(journal.unknown), []);
      assert.equal(journal.sentRows, 1 + arrived);
      assert.ok(counter.isExact);
    });
  }
});

test("rows stay unknown if two connections were lost, or the first count is old", async () => {
  for (const [cuts, age] of [[2, 0], [1, 61_000]] as const) {
    await counting(async ({ journal, counter, server, clock }) => {
      await counter.note();
      journal.sending([1, 2, 3]);
      server.jobs += 1;
      journal.cuts = cuts;
      clock.advance(age);
      await counter.resolve();
      assert.deepEqual([of(journal.unknown), journal.arrived.size], [[1, 2, 3], 0]);
    });
  }
});

test("all rows arrived after two lost connections if there are as many jobs more", async () => {
  await counting(async ({ journal, counter, server }) => {
    await counter.note();
    journal.sending([1, 2, 3]);
    server.jobs += 3;
    journal.cuts = 2;
    await counter.resolve();
    assert.deepEqual(of(journal.arrived), [1, 2, 3]);
  });
});

test("once others enqueue jobs, a count tells only that no row arrived", async () => {
  await counting(async ({ journal, counter, server, clock }) => {
    await counter.note();
    server.jobs += 1;
    clock.advance(30_000);
    await counter.note();
    assert.ok(!counter.isExact);
    journal.sending([1, 2]);
    journal.cuts = 1;
    server.jobs += 2;
    await counter.resolve();
    assert.deepEqual(of(journal.unknown), [1, 2]);
    journal.sending([3]);
    journal.cuts = 1;
    await counter.resolve();
    assert.deepEqual(of(journal.unknown), [1, 2], "3 was not sent; 1 and 2 are of before");
  });
});

test("a server with fewer jobs than before has forgotten them", async () => {
  await counting(async ({ journal, counter, server }) => {
    await counter.note();
    journal.sending([1, 2]);
    server.jobs = 1;
    await counter.resolve();
    assert.ok(journal.hasForgotten);
    assert.deepEqual(of(journal.unknown), [1, 2]);
  });
});

test("a row that is found later was among the jobs of an earlier count", async () => {
  await counting(async ({ journal, counter, server }) => {
    await counter.note();
    journal.sending([1, 2, 3]);
    server.jobs += 1;
    journal.cuts = 2;
    await counter.resolve();
    journal.sent(2, "job_2");
    journal.count!.others = false;
    journal.sending([4, 5]);
    server.jobs += 1;
    journal.cuts = 1;
    await counter.resolve();
    assert.deepEqual([of(journal.arrived), of(journal.unknown)], [[4], [1, 3]]);
  });
});

test("a journal keeps what a process has found out, and the end of a process is a cut", async () => {
  await counting(async ({ journal, counter, server, reopen }) => {
    await counter.note();
    journal.sending([1, 2]);
    journal.arrive(1);
    journal.sent(2, "job_b");
    journal.sending([3, 4]);
    journal.cut();
    server.jobs += 2;
    using again = await reopen();
    assert.deepEqual(
      [of(again.arrived), of(again.unknown), [...again.ids], again.cuts, again.count],
      [[1], [3, 4], ["job_b"], 2, journal.count],
    );
  });
});

/** The counts of busy workers: a job leaves `pending` each time, and `extra` jobs are counted twice. */
function inMotion(jobs: number, extras: readonly number[], retrying = [0]): object[] {
  return extras.map((extra, i) => ({
    ...{ pending: jobs - i, running: extra, completed: i - retrying[i % retrying.length]! },
    retrying: retrying[i % retrying.length],
  }));
}

const many = (...extras: number[]) => Array.from({ length: 40 }, () => extras).flat();

test("a count is believed when nothing moves: jobs that move on are counted twice", async () => {
  for (const [extras, arrived] of [[[], 2], [[3, 1, 1, 1], 2], [many(1, 1, 0, 0), 0]] as const) {
    await counting(async ({ journal, counter, server }) => {
      await counter.note();
      journal.sending([1, 2, 3]);
      journal.cuts = 1;
      server.jobs += 2;
      server.counts = inMotion(server.jobs, extras);
      await counter.resolve();
      assert.deepEqual([journal.arrived.size, journal.unknown.size], [arrived, arrived ? 0 : 3]);
      assert.ok(counter.isExact);
    });
  }
});

test("a count of jobs in motion that is as low as expected shows that nobody else enqueues", async () => {
  await counting(async ({ journal, counter, server, clock }) => {
    await counter.note();
    clock.advance(30_000);
    const { jobs } = server;
    server.counts = inMotion(jobs, [1, 1, 1, 1, 0, 1]);
    await counter.note();
    assert.deepEqual([server.counts.length, journal.count?.jobs, counter.isExact], [1, jobs, true]);
  });
});

test("if no count of jobs in motion is as low as expected, others may enqueue, until one is", async () => {
  await counting(async ({ journal, counter, server, clock, reopen }) => {
    await counter.note();
    // A count that lacks a job that is tried again is too low for those that others have enqueued.
    for (const retries of [[0], [1, 0]]) {
      clock.advance(60_000);
      server.counts = inMotion(server.jobs, many(1, retries.length === 1 ? 2 : 0), retries);
      await counter.note();
      assert.ok(!counter.isExact);
    }
    server.counts = [];
    journal.sending([1, 2]);
    journal.cuts = 1;
    server.jobs++;
    await counter.resolve();
    assert.deepEqual(of(journal.unknown), [1, 2], "the job may be of somebody else");
    assert.equal((await reopen()).count?.others, true);
  });
  await counting(async ({ counter, server, clock }) => {
    await counter.note();
    clock.advance(60_000);
    server.counts = inMotion(server.jobs, many(1, 2));
    await counter.note();
    assert.ok(!counter.isExact);
    clock.advance(60_000);
    server.counts = [];
    await counter.note();
    assert.ok(counter.isExact, "nobody has, as it turns out");
  });
});

test("a server without counts is asked once, one that cannot be reached three times", async () => {
  for (const [code, times] of [[404, 1], ["connection_lost", 3]] as const) {
    await counting(async ({ journal, counter, server }) => {
      let asked = 0;
      Object.defineProperty(server, "error", {
        get: () => (asked++, new DispatchError("no", code)),
      });
      await counter.note();
      await counter.note();
      journal.sending([1]);
      await counter.resolve();
      assert.deepEqual([of(journal.unknown), asked], [[1], times]);
    });
  }
});

test("all jobs have ended well only if no count says otherwise", async () => {
  await counting(async ({ counter, server }) => {
    await counter.note();
    const ended = { completed: 4, failed: 1, retrying: 0 };
    server.counts = Array.from({ length: 6 }, () => ended);
    assert.equal(await counter.allCompletedBut(1), true);
    // A job that is tried again is missing from the first count.
    server.counts = [ended, { completed: 4, failed: 1, retrying: 1 }];
    assert.equal(await counter.allCompletedBut(1), false);
    server.counts = [{ completed: 5 }];
    assert.equal(await counter.allCompletedBut(1), false);
  });
});
