import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readAttempt } from "../../runner/cli/identify_run.ts";
import { cutIntoShards, readShard } from "../../runner/cli/shard.ts";
import { fileKey } from "../../runner/history/case_key.ts";
import { HistoryStore } from "../../runner/history/store.ts";
import type { CaseStarted, RecipeEvent, RecipeRunStarted } from "../../runner/mod.ts";
import { options, storedRun } from "../history/_history.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

const PASS = "steps:\n  - assert: true\n";
/** Four cases, two of which share a name. */
const FILES = {
  "a.yaml": "matrix:\n  n: [1, 1, 2]\nsteps:\n  - assert: matrix.n > 0\n  - log: ${{ uuid() }}\n",
  "b.yaml": PASS,
};

/** The variables of a process, by which `--shard auto` chooses. */
const environment = (values: Record<string, string>) => (name: string) => values[name];

async function eventsOf(args: readonly string[], env: Record<string, string> = {}) {
  const { code, out, err } = await runnerCli([...args, "--reporter", "jsonl"], { env });
  const events = out.split("\n").filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as RecipeEvent);
  return { code, err, events, started: events[0] as RecipeRunStarted };
}

const started = (events: readonly RecipeEvent[]) =>
  events.filter((event): event is CaseStarted => event.type === "case.started");

test("--shard auto reads the variables of each service", () => {
  const table: [Record<string, string>, { index: number; total: number }][] = [
    [{ JOB_COMPLETION_INDEX: "0", DISPATCH_SHARDS: "3" }, { index: 1, total: 3 }],
    [{ JOB_COMPLETION_INDEX: "2", DISPATCH_SHARDS: "3" }, { index: 3, total: 3 }],
    [{ CI_NODE_INDEX: "3", CI_NODE_TOTAL: "3" }, { index: 3, total: 3 }],
    [{ BUILDKITE_PARALLEL_JOB: "1", BUILDKITE_PARALLEL_JOB_COUNT: "2" }, { index: 2, total: 2 }],
    [{ CIRCLE_NODE_INDEX: "0", CIRCLE_NODE_TOTAL: "1" }, { index: 1, total: 1 }],
    // GitLab has no index for a job that is not parallel.
    [{ CI_NODE_TOTAL: "1" }, { index: 1, total: 1 }],
    // A job that is not parallel says nothing about what it has started, nor does half a service.
    [
      { CI_NODE_TOTAL: "1", BUILDKITE_PARALLEL_JOB: "1", BUILDKITE_PARALLEL_JOB_COUNT: "4" },
      { index: 2, total: 4 },
    ],
    [{ DISPATCH_SHARDS: "4", CI_NODE_INDEX: "1", CI_NODE_TOTAL: "2" }, { index: 1, total: 2 }],
    [
      {
        ...{ JOB_COMPLETION_INDEX: "0", DISPATCH_SHARDS: "2" },
        ...{ CI_NODE_INDEX: "1", CI_NODE_TOTAL: "2" },
      },
      { index: 1, total: 2 },
    ],
  ];
  for (const [env, shard] of table) {
    assert.deepEqual(readShard("auto", environment(env)), shard, JSON.stringify(env));
  }
});

test("--shard auto is refused where the variables name no part", () => {
  const table: [Record<string, string>, RegExp][] = [
    [{}, /needs JOB_COMPLETION_INDEX and DISPATCH_SHARDS \(Kubernetes\), or CI_NODE_INDEX/],
    [{ JOB_COMPLETION_INDEX: "0" }, /JOB_COMPLETION_INDEX is set, but DISPATCH_SHARDS is not/],
    [{ CI_NODE_TOTAL: "3" }, /CI_NODE_TOTAL is set, but CI_NODE_INDEX is not \(GitLab\)/],
    [{ JOB_COMPLETION_INDEX: "0", DISPATCH_SHARDS: "1e9" }, /DISPATCH_SHARDS=1e9 name no part/],
    [{ CI_NODE_INDEX: "1", CI_NODE_TOTAL: "1000000000" }, /CI_NODE_TOTAL=1000000000 name no part/],
    [{ CI_NODE_INDEX: "", CI_NODE_TOTAL: "" }, /--shard auto needs/],
    [{ JOB_COMPLETION_INDEX: "3", DISPATCH_SHARDS: "3" }, /JOB_COMPLETION_INDEX=3 and DISPATCH_/],
    [{ CI_NODE_INDEX: "0", CI_NODE_TOTAL: "3" }, /CI_NODE_INDEX=0 and CI_NODE_TOTAL=3 name no/],
    [{ CIRCLE_NODE_INDEX: "one", CIRCLE_NODE_TOTAL: "2" }, /CIRCLE_NODE_INDEX=one and /],
    [
      {
        ...{ JOB_COMPLETION_INDEX: "1", DISPATCH_SHARDS: "4" },
        ...{ CI_NODE_INDEX: "1", CI_NODE_TOTAL: "2" },
      },
      /variables of Kubernetes say 2\/4, and those of GitLab 1\/2; use --shard I\/N/,
    ],
    [
      { DISPATCH_SHARDS: "4", CIRCLE_NODE_INDEX: "0", CIRCLE_NODE_TOTAL: "1" },
      /DISPATCH_SHARDS is set, but JOB_COMPLETION_INDEX is not/,
    ],
  ];
  for (const [env, message] of table) {
    assert.throws(() => readShard("auto", environment(env)), message, JSON.stringify(env));
  }
});

test("a plan has at most 10,000 parts", () => {
  assert.equal(readShard("1/10000", environment({})).total, 10_000);
  const message = "--shard 1/10001: a plan has at most 10000 parts";
  assert.throws(() => readShard("1/10001", environment({})), { message });
});

test("the attempt is what the service counts, and our own variable wins", () => {
  const table: [Record<string, string>, number | undefined][] = [
    [{}, undefined],
    [{ GITHUB_RUN_ATTEMPT: "2" }, 2],
    [{ BUILDKITE_RETRY_COUNT: "0" }, 1],
    [{ BUILDKITE_RETRY_COUNT: "3" }, 4],
    [{ DISPATCH_RETRY_COUNT: "1", GITHUB_RUN_ATTEMPT: "7" }, 2],
    [{ GITHUB_RUN_ATTEMPT: "many" }, undefined],
  ];
  for (const [env, attempt] of table) assert.equal(readAttempt(environment(env)), attempt);
});

test("every case of any plan is in exactly one shard, with and without times", () => {
  const ms = fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined, freq: 3 });
  fc.assert(
    fc.property(fc.array(ms, { maxLength: 60 }), fc.integer({ min: 1, max: 70 }), (times, n) => {
      const shards = cutIntoShards(times, n);
      assert.equal(shards.length, times.length);
      assert.ok(shards.every((shard) => Number.isInteger(shard) && shard >= 1 && shard <= n));
      assert.deepEqual(cutIntoShards(times, n), shards);
      // No shard is empty while another one has two cases.
      const sizes = Array.from({ length: n }, (_, i) => shards.filter((it) => it === i + 1).length);
      assert.ok(!sizes.includes(0) || Math.max(0, ...sizes) <= 1);
    }),
    { numRuns: 1_000 },
  );
});

test("forty cases of 10 ms to 3 s take about the same time in each shard", () => {
  const ms = fc.noBias(fc.integer({ min: 10, max: 3_000 }));
  const times = fc.array(ms, { minLength: 40, maxLength: 40 });
  fc.assert(
    fc.property(times, fc.integer({ min: 2, max: 6 }), (times, n) => {
      const work = new Array<number>(n).fill(0);
      cutIntoShards(times, n).forEach((shard, i) => work[shard - 1]! += times[i]!);
      const mean = work.reduce((sum, ms) => sum + ms, 0) / n;
      // A single case can be longer than a fair part.
      assert.ok(Math.max(...work) <= Math.max(mean * 1.1, ...times), `${work}`);
    }),
    { numRuns: 1_000 },
  );
});

test("a case has the same name, number and random values in a shard as in the whole plan", async () => {
  await withFiles(FILES, async (directory) => {
    const args = [directory, "--repeat", "2", "--seed", "7"];
    const logs = (events: readonly RecipeEvent[]) => events.filter(({ type }) => type === "log");
    const whole = await eventsOf(args);
    assert.equal(whole.started.shard, undefined);
    assert.equal(whole.started.seed, 7);
    const cases: CaseStarted[] = [];
    const texts: unknown[] = [];
    for (const shard of ["1/3", "2/3", "3/3"]) {
      const part = await eventsOf([...args, "--shard", shard]);
      const { index, total, cases: numbers } = part.started.shard!;
      assert.equal(`${index}/${total}`, shard);
      assert.equal(part.started.cases, numbers.length);
      for (const one of started(part.events)) cases[numbers[one.case]!] = one;
      for (const log of logs(part.events)) {
        const { case: number, text } = log as { case: number; text: string };
        texts[numbers[number]!] = text;
      }
    }
    assert.deepEqual(cases.map(({ name }) => name), started(whole.events).map(({ name }) => name));
    const all = logs(whole.events) as { case: number; text: string }[];
    assert.deepEqual(all.map((log) => texts[log.case]), all.map(({ text }) => text));
  });
});

test("every part of a plan has its digest; another text or other cases have another one", async () => {
  await withFiles(FILES, async (directory) => {
    const digest = async (...args: string[]) => (await eventsOf([directory, ...args])).started.plan;
    const whole = await digest();
    assert.match(whole!, /^[0-9a-f]{32}$/);
    for (
      const args of [["--seed", "3"], ["--parallel", "2"], ["--shard", "1/2"], ["--shard", "3/3"]]
    ) {
      assert.equal(await digest(...args), whole);
    }
    const others = [await digest("--repeat", "2"), await digest("--grep", "b")];
    await writeFile(join(directory, "b.yaml"), `# changed\n${PASS}`);
    others.push(await digest());
    assert.equal(new Set([whole, ...others]).size, 4);
  });
});

test("a part without cases passes and says so; a plan without cases does not", async () => {
  await withFiles({ "b.yaml": PASS }, async (directory) => {
    const empty = await eventsOf([directory, "--shard", "2/2"]);
    assert.equal(empty.code, 0);
    assert.match(empty.err, /Shard 2\/2 has no cases, because the plan has 1\n/);
    assert.deepEqual(empty.started.shard, { index: 2, total: 2, cases: [], planned: 1 });
    assert.equal((await eventsOf([directory, "--shard", "2/2", "--grep", "none"])).code, 4);
  });
});

test("with a history, shards are cut by the times that cases usually take", async () => {
  await withFiles({ "a.yaml": PASS, "b.yaml": PASS, "c.yaml": PASS }, async (directory) => {
    const history = join(directory, "history", "h.db");
    await mkdir(join(directory, "history"));
    const store = await HistoryStore.open(history, options());
    const name = (file: string) => ({ server: "embedded", file: fileKey(file), name: "" });
    const key = (file: string) => ({ ...name(join(directory, file)), name: file.slice(0, 1) });
    store.add([
      { key: key("a.yaml"), run: storedRun(10) },
      { key: key("b.yaml"), run: storedRun(20) },
      { key: key("c.yaml"), run: storedRun(1_000) },
      // What did not pass says nothing about how long it takes.
      { key: key("a.yaml"), run: storedRun(90_000, { status: "failed" }) },
    ]);
    store.close();
    const args = [directory, "--history", history, "--shard"];
    assert.deepEqual((await eventsOf([...args, "1/2"])).started.shard!.cases, [2]);
    // The first part wrote nothing, which could change how this one is cut.
    const { started, events } = await eventsOf([...args, "2/2"]);
    assert.deepEqual(started.shard!.cases, [0, 1]);
    const finished = events.find((event) => event.type === "case.finished");
    assert.equal(finished!.usual!.runs, 2);
    const after = await HistoryStore.open(history, options());
    assert.equal(after.runs(key("a.yaml"), 10).length, 2);
    after.close();
  });
});
