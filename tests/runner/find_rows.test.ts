import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { defineJob } from "../../dev/mod.ts";
import { wouldHaveStarted } from "../../runner/cli/calls/start_order.ts";
import { systemClock } from "../../runtime/clock.ts";
import { readTextFile } from "../../runtime/file.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { connected } from "../helpers/server.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

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
