import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { DevServerOptions, Store } from "../../dev/mod.ts";
import { createFaultProxy } from "../../testing/mod.ts";
import { runtimeName } from "../../runtime/process.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { pathKind, readTextFile } from "../../runtime/file.ts";
import { writeTextFile } from "../../runtime/write_file.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { eventually } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { connected } from "../helpers/server.ts";
import { type CliOptions, runnerCli } from "./_cli.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const LISTS: DevServerOptions = { quirks: { "admin-lists-missing": false } };

/** A server that tells nothing but what its own calls answer. */
const SILENT: DevServerOptions = {
  quirks: { "admin-open": false },
  tokens: { "demo-token": { scopes: ["job:read", "job:write"] } },
};

/** A server, and a folder with a file of rows. */
interface Scene {
  server: Awaited<ReturnType<typeof connected>>["server"];
  client: Awaited<ReturnType<typeof connected>>["client"];
  /** The path of the file of rows. */
  file: string;
  /** Runs `enqueue noop --from FILE`. */
  enqueue(args?: string[], options?: CliOptions): ReturnType<typeof runnerCli>;
}

/** Calls a function with a server and a file of rows. */
async function scene(
  name: string,
  text: string,
  use: (scene: Scene) => Promise<void>,
  options: DevServerOptions = {},
): Promise<void> {
  await using it = await connected({}, options);
  const { server, client } = it;
  await withFiles({ [name]: text }, async (directory) => {
    const file = join(directory, name);
    const enqueue = (args: string[] = [], more: CliOptions = {}) => {
      const url = args.includes("--url") ? [] : ["--url", server.url];
      const words = ["enqueue", "noop", "--from", file, "--token", "demo-token", ...url, ...args];
      return runnerCli(words, { clock: systemClock, ...more });
    };
    await use({ server, client, file, enqueue });
  });
}

function numbered(count: number): string {
  return Array.from({ length: count }, (_, n) => `{"n":${n}}\n`).join("");
}

/** How often each number was enqueued: `{ 1: 4000 }` if each of 4,000 was once. */
function occurrences(store: Store, count: number): Record<number, number> {
  const times = new Array<number>(count).fill(0);
  for (const { payload } of store.jobs()) times[(payload as { n: number }).n]!++;
  const result: Record<number, number> = {};
  for (const n of times) result[n] = (result[n] ?? 0) + 1;
  return result;
}

/** A clock on which 20 ms, or as much as `step` says, pass in each turn of the event loop. */
interface QuickClock extends Disposable {
  clock: Clock;
  step: number;
}

/** Starts a {@linkcode QuickClock}, which moves until it is disposed. */
function quickClock(): QuickClock {
  const fake = new FakeClock();
  // Not a `FakeClock` itself, which would be given up after some seconds.
  const clock: Clock = {
    now: () => fake.now(),
    setTimeout: (callback, ms) => fake.setTimeout(callback, ms),
    clearTimeout: (handle) => fake.clearTimeout(handle),
  };
  const quick = { clock, step: 20, [Symbol.dispose]: () => clearInterval(timer) };
  const timer = setInterval(() => fake.advance(quick.step), 1);
  return quick;
}

test("each row of a CSV file becomes a job, whose payload has the names of the first row", async () => {
  const csv = 'to,subject\r\na@example.com,"Hi, ""you"""\r\n\r\nb@example.com,"two\nlines"\r\n';
  await scene("mails.csv", `\ufeff${csv}`, async ({ server, file, enqueue }) => {
    const { code, out, err } = await enqueue(["--queue", "unread", "--priority", "3"]);
    assert.deepEqual([code, out, err], [0, "2 rows: 2 enqueued\n", ""]);
    const jobs = server.store.jobs().map((
      { payload, queue, priority },
    ) => [payload, queue, priority]);
    assert.deepEqual(jobs, [
      [{ to: "a@example.com", subject: 'Hi, "you"' }, "unread", 3],
      [{ to: "b@example.com", subject: "two\nlines" }, "unread", 3],
    ]);
    assert.match(
      await readTextFile(`${file}.journal`),
      /^\{"journal":1,"sha256":"\w{64}","rows":2,/,
    );
    const again = await enqueue(["--queue", "unread", "--priority", "3", "--json"]);
    assert.match(again.err, /2 of 2 rows were sent before\n$/);
    const rows = again.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(rows.map(({ row, line, state }) => [row, line, state]), [
      [1, 2, "enqueued"],
      [2, 4, "enqueued"],
    ]);
    assert.equal(server.store.jobs().length, 2);
  });
});

test("--wait waits for the job of each row, and prints what failed", async () => {
  await scene("rows.jsonl", '{"key":"a"}\n\n{"key":"b"}\n', async ({ server, file, enqueue }) => {
    assert.deepEqual((await enqueue(["--wait"])).out, "2 rows: 2 completed\n");
    const url = ["--url", server.url, "--token", "demo-token"];
    const other = ["--from", file, "--journal", `${file}.2`, "--wait"];
    const { code, out } = await runnerCli(["enqueue", "always-fails", ...other, ...url], {
      clock: systemClock,
    });
    assert.equal(code, 1);
    assert.match(
      out,
      /rows\.jsonl:1 {2}job_\w+ {2}failed {2}boom\n.*rows\.jsonl:3 {2}job_\w+ {2}failed {2}boom\n2 rows: 2 failed\n$/,
    );
    const unread = [
      "--queue",
      "unread",
      "--journal",
      `${file}.3`,
      "--wait",
      "--timeout",
      "5s",
      "--json",
    ];
    const late = await enqueue(unread, { clock: new FakeClock() });
    assert.equal(late.code, 1);
    assert.deepEqual(late.out.trimEnd().split("\n").map((line) => JSON.parse(line).state), [
      "unfinished",
      "unfinished",
    ]);
  });
});

test("a mistake in any row ends with 2 and its place, and nothing is sent", async () => {
  const wrong: [string, string, RegExp][] = [
    [
      "a.jsonl",
      '{"n":1}\n{"n":}\n',
      /^error: Cannot read JSON: expected a value\n --> .*a\.jsonl:2:6\n/,
    ],
    ["a.jsonl", '{"n":1}\n[12345678901234567890]\n', /a\.jsonl:2:2\n[^]*write it as text\n/],
    ["a.jsonl", "\n", /^error: Cannot read rows '.*a\.jsonl': it has none\n/],
    ["a.csv", "a,b\n1,2\n3\n", /the row has 1 value, and the first row has 2\n --> .*a\.csv:3:1\n/],
    ["a.csv", "a,a\n1,2\n", /the name 'a' is there twice\n --> .*a\.csv:1:1\n/],
    ["a.csv", "a,\n1,2\n", /a column has no name\n/],
    ["a.csv", 'a,b\n1,2\n"x,2\n', /a quoted value has no end\n --> .*a\.csv:3:1\n/],
    ["a.csv", 'a,b\n"x"y,2\n', /after a quoted value comes more text\n --> .*a\.csv:2:1\n/],
    ["a.csv", 'a,b\nx"y,2\n', /a value that is not quoted has a quote\n --> .*a\.csv:2:1\n/],
    [
      "a.csv",
      "a;b\n1;2\n",
      /there is one column with a ';': separate values by ','\n --> .*:1:1\n/,
    ],
    ["a.csv", "a\tb\n1\t2\n", /there is one column with a tab: /],
    ["a.csv", "a, b\n1,2\n", /the name ' b' begins or ends with a space\n --> .*a\.csv:1:1\n/],
    [
      "a.csv",
      "a,b\r1,2\r",
      /^error: Cannot read CSV '.*a\.csv': its lines end with CR, not with LF/,
    ],
    ["a.txt", "x", /^error: --from takes a \.csv or \.jsonl file, not '.*a\.txt'\n/],
  ];
  for (const [name, text, reason] of wrong) {
    await scene(name, text, async ({ server, file, enqueue }) => {
      const { code, out, err } = await enqueue();
      assert.deepEqual([code, out], [2, ""], err);
      assert.match(err, reason);
      assert.equal(server.store.jobs().length, 0);
      assert.equal(await pathKind(`${file}.journal`), "none");
    });
  }
  const refused: [string, RegExp][] = [
    ["enqueue x --from none.csv", /^error: Cannot read rows 'none\.csv': no such file\n/],
    ["enqueue x {} --from a.csv", /^error: --from takes the payloads from its file\n/],
    ["enqueue x --journal a", /^error: --journal and --retry-unknown go with --from\n/],
  ];
  for (const [words, reason] of refused) {
    const { code, err } = await runnerCli([...words.split(" "), "--url", "ws://127.0.0.1:1/dwp"]);
    assert.equal(code, 2);
    assert.match(err, reason);
  }
});

test("rows and payloads that are not UTF-8 text are refused, from files and from a pipe", async () => {
  await scene("a.csv", "a\n1\n", async ({ server, file, enqueue }) => {
    for (const bytes of [[0x61, 0x0a, 0xe9, 0x0a], [0xff, 0xfe, 0x61, 0x00, 0x0a, 0x00]]) {
      await writeFile(file, new Uint8Array(bytes));
      const { code, err } = await enqueue();
      assert.equal(code, 2);
      assert.match(err, /^error: Cannot read rows '.*a\.csv': it is not UTF-8 text\n/);
    }
    const { code, err } = await runnerCli(["enqueue", "noop", `@${file}`, "--url", server.url]);
    assert.deepEqual([code, /Cannot read payload '.*': it is not UTF-8 text/.test(err)], [2, true]);
    const { status, stderr } = spawnSync(process.execPath, [
      ...runtimeName() === "deno" ? ["run", "-A"] : [],
      ...["runner.ts", "enqueue", "noop", "-", "--url", server.url],
    ], { input: new Uint8Array([0x22, 0xe9, 0x22]) });
    const output = new TextDecoder().decode(stderr);
    assert.equal(status, 2, output);
    assert.match(output, /^error: Cannot read payload: standard input is not UTF-8 text\n/);
    assert.equal(server.store.jobs().length, 0);
  });
});

test("a journal of other rows or jobs, a damaged one, or one in use is refused", async () => {
  await scene("rows.jsonl", numbered(2), async ({ server, file, enqueue }) => {
    const refused = async (reason: RegExp, args: string[] = []) => {
      const { code, err } = await enqueue(args);
      assert.equal(code, 2, err);
      assert.match(err, reason);
    };
    assert.equal((await enqueue()).code, 0);
    await refused(
      /its jobs have the queue 'default', not 'mail'; name another one with --journal/,
      [
        "--queue",
        "mail",
      ],
    );
    await writeTextFile(`${file}.journal.lock`, String(process.ppid));
    await refused(/another process is at work with it; if not, remove '.*\.journal\.lock'/);
    for (const pid of ["2147483000", String(process.pid), ""]) {
      await writeTextFile(`${file}.journal.lock`, pid);
      assert.equal((await enqueue()).code, 0, "its process has ended");
    }
    const journal = await readTextFile(`${file}.journal`);
    assert.match(journal, /\{"row":2,"job_id":"job_\w+"\}\n(?:\{"counted":2,"at":\d+\}\n)?$/);
    await writeTextFile(`${file}.journal`, `${journal}{"row":`);
    assert.equal((await enqueue()).code, 0, "a line that was cut");
    assert.equal(await readTextFile(`${file}.journal`), journal);
    await writeTextFile(`${file}.journal`, `${journal}nonsense\n`);
    await refused(/Cannot go on with journal '.*': line \d+ is damaged/);
    await writeTextFile(`${file}.journal`, "nonsense\n");
    await refused(/it is not a journal of rows/);
    await writeTextFile(`${file}.journal`, journal);
    await writeTextFile(file, numbered(3));
    await refused(/it is about another file, or the file has changed since/);
    assert.equal(server.store.jobs().length, 2);
  });
});

test("4,000 rows through a connection that is cut again and again are there once each", async () => {
  const COUNT = 4_000;
  await scene("rows.jsonl", numbered(COUNT), async ({ server, enqueue }) => {
    await using proxy = await createFaultProxy({
      target: server.url,
      onConnection: (connection) => {
        // The last connection has fewer frames, and those that count jobs have none.
        const direction = connection.index === 0 ? "toClient" : "toServer";
        connection.cutAfter({ frames: 800, direction });
      },
    });
    using quick = quickClock();
    const args = ["--queue", "unread", "--url", proxy.url];
    const { code, out, err } = await enqueue(args, { clock: quick.clock });
    assert.deepEqual([code, out], [0, `${COUNT} rows: ${COUNT} enqueued\n`], err);
    assert.deepEqual(occurrences(server.store, COUNT), { 1: COUNT });
    // Each row is a frame, so that one connection cannot have carried them all.
    assert.match(err, /The connection was lost/);
  }, LISTS);
});

test("rows of a process that is killed three times are there once each", async () => {
  const COUNT = 1_200;
  await scene("rows.jsonl", numbered(COUNT), async ({ server, file }) => {
    const start = () =>
      new RunnerProcess([
        ...["runner.ts", "enqueue", "noop", "--from", file, "--queue", "unread"],
        ...["--url", server.url, "--token", "demo-token"],
      ]);
    for (const part of [100, 400, 800]) {
      const child = start();
      await eventually(() => server.store.jobs().length > part, 30_000);
      child.signal("SIGKILL");
      await child.exit();
    }
    const last = start();
    assert.equal(await last.exit(60_000), 0, last.output);
    assert.match(last.output, /\d+ of 1200 rows were sent before\n1200 rows: 1200 enqueued\n$/);
    assert.deepEqual(occurrences(server.store, COUNT), { 1: COUNT });
  }, LISTS);
});

for (
  const [lost, direction, frames] of [
    ["answers", "toClient", 6],
    ["requests", "toServer", 5],
  ] as const
) {
  /** Runs the command through a proxy that cuts its first connection amid the rows. */
  const cutOnce = async (use: (scene: Scene) => Promise<void>, options: DevServerOptions) => {
    await scene("rows.jsonl", numbered(20), async (it) => {
      await using proxy = await createFaultProxy({
        target: it.server.url,
        onConnection: (connection) => {
          if (connection.index > 0) return;
          connection.cutAfter({ frames, direction });
          // Answers that are quick let so few rows be on their way that the cut may lose none.
          connection.delay(5, "toClient");
        },
      });
      using quick = quickClock();
      const enqueue: Scene["enqueue"] = (args = []) =>
        it.enqueue(["--queue", "unread", "--url", proxy.url, ...args], { clock: quick.clock });
      await use({ ...it, enqueue });
    }, options);
  };

  test(`rows whose ${lost} are lost are found in the server's lists, or sent again`, async () => {
    await cutOnce(async ({ server, enqueue }) => {
      const { code, out, err } = await enqueue();
      assert.deepEqual([code, out], [0, "20 rows: 20 enqueued\n"], err);
      assert.deepEqual(occurrences(server.store, 20), { 1: 20 });
    }, LISTS);
  });

  test(`rows whose ${lost} are lost are sent if the number of jobs tells that they were not`, async () => {
    await cutOnce(async ({ server, file, enqueue }) => {
      const { code, out, err } = await enqueue(["--json"]);
      assert.equal(code, 0, err);
      assert.deepEqual(occurrences(server.store, 20), { 1: 20 });
      const results = out.trimEnd().split("\n").map((line) => JSON.parse(line));
      assert.ok(results.every(({ state }) => state === "enqueued"));
      const journal = await readTextFile(`${file}.journal`);
      assert.match(journal, lost === "answers" ? /"arrived":true/ : /"unsent":true/);
    }, {});
  });

  test(`rows whose ${lost} are lost are told, and sent again only if asked to`, async () => {
    await cutOnce(async ({ server, enqueue }) => {
      const first = await enqueue(["--json"]);
      assert.equal(first.code, 3);
      const count = server.store.jobs().length;
      assert.ok((occurrences(server.store, 20)[2] ?? 0) === 0);
      const results = first.out.trimEnd().split("\n").map((line) => JSON.parse(line));
      const unknown = results.filter(({ state }) => state === "unknown");
      assert.ok(unknown.length > 0 && results.length === 20);
      assert.match(first.err, /\n\d+ rows? may have been sent: .*--retry-unknown\n$/);
      const second = await enqueue();
      assert.deepEqual([second.code, server.store.jobs().length], [3, count]);
      const third = await enqueue(["--retry-unknown"]);
      assert.deepEqual([third.code, third.out], [0, "20 rows: 20 enqueued\n"], third.err);
      assert.equal(server.store.jobs().length, count + unknown.length);
    }, SILENT);
  });
}

test("a job of the same payload that is older than the first row may be a row's, or not", async () => {
  await scene("rows.jsonl", numbered(20), async ({ server, client, file, enqueue }) => {
    const other = ["--queue", "unread", "--journal", `${file}.other`];
    assert.equal((await enqueue(other)).code, 0);
    const { job_id } = await client.enqueue("noop", { n: 0 }, { queue: "unread" });
    const [header] = (await readTextFile(`${file}.other`)).split("\n");
    const sending = Array.from({ length: 19 }, (_, i) => i + 2);
    const lines = [{ sending: [1] }, { row: 1, job_id }, { sending }].map((line) =>
      JSON.stringify(line)
    );
    await writeTextFile(`${file}.journal`, `${[header, ...lines].join("\n")}\n`);
    using quick = quickClock();
    const again = await enqueue(["--queue", "unread"], { clock: quick.clock });
    // The older jobs are from a moment before: another node's clock might have said so.
    assert.equal(again.code, 3);
    assert.match(again.out, /^20 rows: 1 enqueued, 19 unknown\n$/m);
    assert.equal(server.store.jobs().length, 21, "no row is sent twice, nor taken for sent");
  }, LISTS);
});

test("a server that refuses ends with 1, no permission with 3; a later call sends what is left", async () => {
  await scene("rows.jsonl", numbered(3), async ({ server, file, enqueue }) => {
    const wrong = await enqueue(["--token", "wrong"]);
    assert.equal(wrong.code, 3);
    const nowhere = await enqueue(["--url", "ws://127.0.0.1:1/dwp"]);
    assert.equal(nowhere.code, 3);
    assert.equal(server.store.jobs().length, 0);
    const there = await enqueue();
    assert.equal(there.code, 0);
    assert.match(there.err, /^$|warning: /);
    assert.ok((await readTextFile(`${file}.journal`)).includes('"sending":[1]'));
  });
});

test("a server that goes away for long ends with 3; the same command goes on when it is back", async () => {
  await scene("rows.jsonl", numbered(300), async ({ server, enqueue }) => {
    using quick = quickClock();
    await using proxy = await createFaultProxy({
      target: server.url,
      onConnection: (connection) => {
        if (connection.index > 0) return;
        connection.cutAfter({ frames: 100, direction: "toClient" });
        void proxy.refuse();
      },
    });
    const args = ["--queue", "unread", "--url", proxy.url];
    const onErr = (text: string) => {
      // The minutes until the command gives up.
      if (text.includes("The connection was lost")) quick.step = 500;
    };
    const gone = await enqueue(args, { clock: quick.clock, onErr });
    quick.step = 20;
    assert.equal(gone.code, 3);
    assert.match(gone.out, /^300 rows: \d+ enqueued,(?: \d+ unknown,)? \d+ unsent\n$/m);
    assert.match(
      gone.err,
      /\nerror: Cannot enqueue 'noop': .*\n\d+ rows were not sent: call the same/,
    );
    await proxy.forward();
    const back = await enqueue(args, { clock: quick.clock });
    assert.deepEqual([back.code, back.out], [0, "300 rows: 300 enqueued\n"], back.err);
    assert.deepEqual(occurrences(server.store, 300), { 1: 300 });
  }, LISTS);
});

test("an interruption lets the answers come, and a later call goes on", async () => {
  await scene("rows.jsonl", numbered(500), async ({ server, enqueue }) => {
    const stop = new AbortController();
    const running = enqueue(["--queue", "unread"], { signal: stop.signal });
    await eventually(() => server.store.jobs().length > 100);
    stop.abort(new InterruptedError("SIGINT"));
    const { code, err } = await running;
    assert.equal(code, 130);
    assert.match(err, /Interrupted by SIGINT\n$/);
    assert.ok(server.store.jobs().length < 500);
    assert.equal((await enqueue(["--queue", "unread"])).out, "500 rows: 500 enqueued\n");
    assert.deepEqual(occurrences(server.store, 500), { 1: 500 });
  });
});
