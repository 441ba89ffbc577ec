import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { DispatchAdmin } from "../../client/http/dispatch_admin.ts";
import { defineJob } from "../../dev/mod.ts";
import { DispatchError } from "../../mod.ts";
import { RowCounter } from "../../runner/cli/calls/count_rows.ts";
import { RowJournal } from "../../runner/cli/calls/row_journal.ts";
import { wouldHaveStarted } from "../../runner/cli/calls/start_order.ts";
import { systemClock } from "../../runtime/clock.ts";
import { readTextFile } from "../../runtime/file.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { connected } from "../helpers/server.ts";
import { runnerCli } from "./_cli.ts";
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
    clock.advance(10_000);
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
    ...{ pending: jobs - i, running: extra, completed: i },
    retrying: retrying[i % retrying.length],
  }));
}

test("a count is believed when nothing moves, or it is the smallest of many: jobs move meanwhile", async () => {
  const many = (...extras: number[]) => Array.from({ length: 5 }, () => extras).flat();
  for (
    const [extras, retrying, arrived] of [
      [[], undefined, 2],
      [[3], undefined, 2],
      [[1, 1, 1], undefined, 2],
      [[...many(1, 1, 1, 0), ...many(0, 1, 2, 1, 0)], undefined, 2],
      [[...many(1, 1, 1, 0), ...many(0, 1, 2, 1, 0)], [0, 1], undefined],
      [Array.from({ length: 500 }, (_, i) => i), undefined, undefined],
    ] as const
  ) {
    await counting(async ({ journal, counter, server }) => {
      await counter.note();
      journal.sending([1, 2, 3]);
      journal.cuts = 1;
      server.counts = inMotion(server.jobs + 2, extras, retrying && [...retrying]);
      server.jobs += 2;
      if (arrived === undefined) server.counts.push(...inMotion(99, Array(500).fill(0), [0, 1]));
      await counter.resolve();
      assert.equal(journal.arrived.size, arrived ?? 0, JSON.stringify(extras));
      assert.equal(journal.unknown.size, arrived === undefined ? 3 : 0);
      assert.ok(counter.isExact);
    });
  }
});

test("a count that jobs in motion have spoilt does not mean that others enqueue", async () => {
  await counting(async ({ journal, counter, server, clock }) => {
    await counter.note();
    clock.advance(10_000);
    const { jobs } = server;
    server.counts = inMotion(jobs, [1, 1, 1, 1, 0, 1]);
    await counter.note();
    assert.deepEqual([server.counts.length, journal.count?.jobs, counter.isExact], [1, jobs, true]);
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

test("a job would have been seen if all around it started in their order, none of them missing", () => {
  const id = (n: number) => `job_${String(n).padStart(5, "0")}`;
  const all = Array.from({ length: 400 }, (_, n) => id(n));
  const ids = new Set(all);
  const seen = (after: number, started: string[]) => wouldHaveStarted(id(after), ids, started);
  assert.ok(seen(200, all));
  assert.ok(seen(200, all.slice(101)), "from 100 before it on");
  assert.ok(!seen(200, all.slice(102)), "those before had started already");
  assert.ok(seen(200, all.slice(0, 333)));
  assert.ok(!seen(200, all.slice(0, 332)), "those after have not started yet");
  assert.ok(!seen(200, all.filter((one) => one !== id(230))), "one was missed");
  assert.ok(!seen(98, all) && !seen(270, all), "too close to an end");
  const swap = (by: number) => {
    const copy = [...all];
    copy.splice(200, 0, ...copy.splice(200 + by, 1));
    return copy;
  };
  assert.ok(seen(200, swap(50)));
  assert.ok(!seen(200, swap(51)), "workers that mix up the order prove nothing");
  assert.ok(seen(200, [...all, id(150)]), "a job that is tried again");
});

test("without counts, jobs that wait for a worker tell which rows arrived by their events", async () => {
  const rows = Array.from({ length: 300 }, (_, n) => `{"n":${n}}\n`).join("");
  for (const direction of ["toClient", "toServer"] as const) {
    const gate = Promise.withResolvers<void>();
    const jobs = [defineJob("slow", async () => await gate.promise)];
    await using it = await connected({}, {
      jobs,
      quirks: { "admin-open": false },
      tokens: { "demo-token": { scopes: ["job:read", "job:write", "subscribe"] } },
    });
    await using proxy = await createFaultProxy({
      target: it.server.url,
      onConnection: (connection) => {
        if (connection.index > 0) return;
        // Frames to the server count as sent when they arrive, so the last one is cut in two.
        if (direction === "toClient") connection.cutAfter({ frames: 120, direction });
        else connection.cutAfter({ bytes: 22_000, direction });
      },
    });
    await withFiles({ "rows.jsonl": rows }, async (directory) => {
      const file = join(directory, "rows.jsonl");
      const open = setInterval(() => {
        if (it.server.store.jobs().length > 280) gate.resolve();
      }, 5);
      const { code, out, err } = await runnerCli(
        ["enqueue", "slow", "--from", file, "--url", proxy.url, "--token", "demo-token", "--json"],
        { clock: systemClock },
      );
      clearInterval(open);
      assert.equal(code, 0, err);
      const ids = out.trimEnd().split("\n").map((line) => JSON.parse(line).job_id);
      assert.equal(new Set(ids).size, 300);
      const payloads = it.server.store.jobs().map(({ payload }) => (payload as { n: number }).n);
      assert.deepEqual([payloads.length, new Set(payloads).size], [300, 300]);
      assert.match(err, /The connection was lost/);
      const journal = await readTextFile(`${file}.journal`);
      assert.ok(direction === "toClient" || journal.includes('"unsent":true'));
    });
  }
});
