import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { createScriptedServer } from "../../testing/scripted_server.ts";
import { type CliOptions, type CliResult, runnerCli } from "./_cli.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const EVERY_SECOND = 'schedule: { cron: "* * * * * *" }\n';

/** Starts `schedule` in a process, and kills it at the end. */
async function withProcess(
  recipe: string,
  use: (runner: RunnerProcess) => Promise<void>,
  more: readonly string[] = [],
): Promise<void> {
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const runner = new RunnerProcess(["runner.ts", "schedule", directory, "--verbose", ...more]);
    try {
      await use(runner);
    } finally {
      runner.signal("SIGKILL");
      await runner.exit();
    }
  });
}

/** Runs `schedule` in this process, on a fake clock. */
function schedule(
  recipe: string,
  options: CliOptions = {},
  args: readonly string[] = [],
): Promise<CliResult> {
  return withFiles(
    { "r.yaml": recipe },
    (directory) => runnerCli(["schedule", join(directory, "r.yaml"), ...args], options),
  );
}

test("SIGINT between runs ends the schedule with exit code 0", async () => {
  const recipe = 'name: Rare\nschedule: { cron: "0 0 29 2 *" }\nsteps: [{ assert: "true" }]\n';
  await withProcess(recipe, async (runner) => {
    await runner.printed("Rare: first run at ");
    runner.signal("SIGINT");
    assert.equal(await runner.exit(), 0);
  });
});

test("SIGTERM during a run interrupts it, runs `always`, ends live pages, and exits with 130", async () => {
  const recipe = `${EVERY_SECOND}steps:
  - enqueue: noop
  - sleep: 1h
  - assert: "true"
always:
  - log: it is cleaned up
`;
  await withProcess(recipe, async (runner) => {
    await runner.printed('"method":"job.enqueue"');
    const [page] = /http:\/\/127\.0\.0\.1:\d+/.exec(runner.output)!;
    const live = await fetch(`${page}/live`);
    const reader = live.body!.getReader();
    const ended = (async () => {
      while (!(await reader.read()).done);
    })().catch(() => "cut");
    runner.signal("SIGTERM");
    assert.equal(await runner.exit(), 130);
    assert.match(runner.output, /it is cleaned up/);
    assert.match(runner.output, /Interrupted/);
    await ended;
  }, ["--listen", "127.0.0.1:0"]);
});

test("skips times that come during a run, and runs again afterwards", async () => {
  const stop = new AbortController();
  let runs = 0;
  const { code, out } = await schedule(
    `name: Long\n${EVERY_SECOND}steps: [{ sleep: 2500ms }, { assert: "true" }]\n`,
    {
      signal: stop.signal,
      onOut: (text) => {
        if (text.includes("1 passed") && ++runs === 2) stop.abort();
      },
    },
  );
  assert.equal(code, 0, out);
  const lines = out.match(/Long: .*/g)!.map((line) => line.replace(/2026-01-01T00:00:/g, ""));
  assert.deepEqual(lines.slice(0, 2), ["Long: first run at 01Z", "Long: run started"]);
  // The fake clock moves on while a busy machine works, so that more times may come during the run.
  const skipped = lines.slice(2, lines.lastIndexOf("Long: run started"));
  assert.ok(skipped.length >= 2, out);
  assert.deepEqual(
    skipped,
    skipped.map((_, i) =>
      `Long: skipped at ${String(i + 2).padStart(2, "0")}Z: its run of 01Z is still in progress`
    ),
  );
});

test("counts the recipes without a schedule; a report is not drawn live", async () => {
  const plain = 'steps: [{ assert: "true" }]\n';
  for (
    const [files, expected] of [
      [{}, undefined],
      [{ "b.yaml": plain }, "1 recipe has no `schedule`: not run"],
      [{ "b.yaml": plain, "c.yaml": plain }, "2 recipes have no `schedule`: not run"],
    ] as const
  ) {
    const stop = new AbortController();
    const { out } = await withFiles(
      { "a.yaml": `${EVERY_SECOND}${plain}`, ...files },
      (directory) =>
        runnerCli(["schedule", directory], {
          signal: stop.signal,
          terminal: true,
          onOut: (text) => void (text.includes("1 passed") && stop.abort()),
        }),
    );
    const line = out.split("\n").find((line) => line.includes("no `schedule`"));
    assert.equal(line?.slice(21), expected);
    assert.ok(!out.includes("\x1b"));
  }
});

test("log lines go to standard error when a report goes to standard output", async () => {
  const recipe = `name: Json\n${EVERY_SECOND}steps: [{ assert: "true" }]\n`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const stop = new AbortController();
    const { out, err } = await runnerCli(
      [
        ...["schedule", directory, "--reporter", "jsonl"],
        ...["--reporter", `junit=${join(directory, "junit.xml")}`],
      ],
      { signal: stop.signal, onOut: () => stop.abort() },
    );
    for (const line of out.trimEnd().split("\n")) JSON.parse(line);
    assert.match(
      err,
      /^Using the embedded server; .*\nwarning: without --url .*\n.* Json: first run at .*\n.* Json: run started/,
    );
  });
});

test("as JSON, each line of standard output is an object, about every thing that happens", async () => {
  const stop = new AbortController();
  const { out } = await schedule(
    `name: Json\n${EVERY_SECOND}alert: { to: http://127.0.0.1:1/ }\nsteps: [{ assert: "false" }]\n`,
    { signal: stop.signal, onOut: (text) => void (text.includes('"delivery"') && stop.abort()) },
    ["--log", "json"],
  );
  const lines = out.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.slice(0, 6).map(({ event }) => event), [
    ...["server", "added", "started", "finished", "raised", "delivery"],
  ]);
  const [finished] = lines.filter(({ event }) => event === "finished");
  assert.deepEqual([finished.check, finished.verdict, finished.exit_code], ["json", "failed", 1]);
  assert.match(finished.diagnostics, /assert false/);
});

test("reminders can be a second apart, and no less", async () => {
  const stop = new AbortController();
  const { out } = await schedule(
    `name: Often
schedule: { cron: "1 * * * * *" }
alert: { after: 1, remind: 1s, to: ops@example.com }
steps: [{ assert: "false" }]
`,
    {
      signal: stop.signal,
      onOut: (text) => void (text.includes("00:00:04Z ALERT") && stop.abort()),
    },
  );
  assert.deepEqual(out.match(/00:00:\d\dZ ALERT/g), [1, 2, 3, 4].map((n) => `00:00:0${n}Z ALERT`));
  const { code, err } = await schedule(
    'vars: { pause: 1s }\nschedule: { every: 1m }\nalert: { remind: "${{ vars.pause }}" }\n' +
      'steps: [{ assert: "false" }]\n',
    {},
    ["--var", "pause=10ms"],
  );
  assert.equal(code, 2);
  assert.match(err, /^error: Cannot schedule '.*r\.yaml': `remind` must be at least 1 s\n/);
});

/** A server that receives alerts. */
interface Hook {
  url: string;
  bodies: Record<string, unknown>[];
  /** Returns a signal that is aborted when this many alerts have arrived. */
  stopAfter(count: number): AbortSignal;
}

/** Runs a server that receives alerts; it answers the first one with a status. */
async function withHook(use: (hook: Hook) => Promise<void>, firstStatus = 200): Promise<void> {
  const bodies: Record<string, unknown>[] = [];
  const stop = new AbortController();
  let limit = Infinity;
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => void (text += chunk));
    request.on("end", () => {
      bodies.push({
        path: request.url,
        contentType: request.headers["content-type"],
        ...JSON.parse(text),
      });
      response.statusCode = bodies.length === 1 ? firstStatus : 200;
      response.end(() => bodies.length >= limit && stop.abort());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stopAfter = (count: number) => {
    limit = count;
    return stop.signal;
  };
  try {
    await use({ url: `http://127.0.0.1:${port}`, bodies, stopAfter });
  } finally {
    server.close();
  }
}

test("an alert is posted to a webhook without secrets, and retried", async () => {
  const recipe = `name: Hooked
${EVERY_SECOND}alert: { after: 2, to: ["\${{ secrets.HOOK }}", ops@example.com] }
secrets: [HOOK, WORD]
steps:
  - start: \${{ secrets.WORD }}
`;
  await withHook(async ({ url, bodies, stopAfter }) => {
    const env = { HOOK: `${url}/path-s3cr3t`, WORD: "hidden-word" };
    const { code, out, err } = await schedule(recipe, { env, signal: stopAfter(2) });
    assert.ok([0, 130].includes(code));
    assert.match(out, /alerts for Hooked are printed but not sent to ops@example\.com/);
    assert.match(out, /ALERT Hooked has failed 2 times since /);
    assert.match(out, /the server answered 503; retrying in 1 s/);
    assert.ok(!/s3cr3t|hidden-word/.test(out + err), out + err);
    const [first, second] = bodies;
    assert.deepEqual(second, first);
    const { text, at, failing_since, id, incident, ...rest } = first!;
    assert.match(String(text), /^ALERT Hooked has failed 2 times .*\*\*\*/);
    assert.ok(String(failing_since) < String(at) && String(at).startsWith("2026-01-01T00:00:0"));
    assert.equal(id, `${incident}-raised`);
    assert.deepEqual({ ...rest, file: "", failure: "" }, {
      path: "/path-s3cr3t",
      contentType: "application/json",
      version: 1,
      type: "raised",
      recipe: "Hooked",
      file: "",
      tags: [],
      server: "embedded",
      failures: 2,
      failure: "",
    });
  }, 503);
});

test("a resolved alert is posted when the recipe passes again", async () => {
  // Fails in the first second only.
  const recipe = `name: Back
${EVERY_SECOND}alert: { after: 1, to: "\${{ env.HOOK }}" }
env: [HOOK]
steps:
  - assert: now() > timestamp("2026-01-01T00:00:01.900Z")
`;
  await withHook(async ({ url, bodies, stopAfter }) => {
    await schedule(recipe, { env: { HOOK: url }, signal: stopAfter(2) });
    assert.deepEqual(bodies.map(({ type, text }) => [type, text]), [
      ["raised", bodies[0]!.text],
      ["resolved", "RESOLVED Back passes again; it had been failing since 2026-01-01T00:00:01Z"],
    ]);
  });
});

test("an alert does not contain the secrets in the server's address", async () => {
  const recipe = `name: Away
${EVERY_SECOND}alert: { after: 1, to: "\${{ env.HOOK }}" }
env: [HOOK]
steps: [{ assert: "true" }]
`;
  await withHook(async ({ url, bodies, stopAfter }) => {
    const env = {
      HOOK: url,
      DISPATCH_URL: "ws://somebody:pass-s3cr3t@127.0.0.1:1/dwp?key=key-s3cr3t",
      DISPATCH_TOKEN: "token-s3cr3t",
    };
    const { out, err } = await schedule(recipe, { env, signal: stopAfter(1) });
    const printed = out + err + JSON.stringify(bodies);
    assert.match(printed, /ALERT Away has failed: Cannot connect to 'ws:\/\/127\.0\.0\.1:1\/dwp'/);
    assert.ok(!printed.includes("s3cr3t"), printed);
  });
});

test("--dry-run prints the next times, and which of them are skipped", async () => {
  const recipe = `name: Nightly
schedule: { cron: "0 3 1 1 *", timezone: Europe/Berlin, jitter: 30s }
maintenance: { cron: "0 0 1 1 *", timezone: Europe/Berlin, duration: 1d }
steps: [{ assert: "true" }]
`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const { code, out } = await runnerCli(["schedule", join(directory, "r.yaml"), "--dry-run"]);
    assert.equal(code, 0);
    const [first, ...times] = out.trimEnd().split("\n");
    assert.match(first!, /^Nightly .*r\.yaml {2}0 3 1 1 \* \(Europe\/Berlin, up to 30 s later\)$/);
    assert.deepEqual(
      times,
      [2026, 2027, 2028, 2029, 2030].map((year) =>
        `  ${year}-01-01T02:00:00Z  skipped: maintenance`
      ),
    );
  });
});

test("--dry-run prints no jitter where there is none, and checks all maintenance windows", async () => {
  const { out } = await schedule(
    `name: Yearly
schedule: { cron: "0 3 1 1 *" }
maintenance:
  - { from: 2020-01-01T00:00:00Z, to: 2020-01-02T00:00:00Z }
  - { from: 2027-01-01T00:00:00Z, to: 2027-01-02T00:00:00Z }
steps: [{ assert: "true" }]
`,
    {},
    ["--dry-run"],
  );
  assert.match(out, /0 3 1 1 \* \(UTC\)\n/);
  assert.match(out, / {2}2026-01-01T03:00:00Z\n {2}2027-01-01T03:00:00Z {2}skipped: maintenance\n/);
});

test("a recipe without a schedule, and errors in schedules, are reported before any run", async () => {
  const none = await schedule('steps: [{ assert: "true" }]\n');
  assert.equal(none.code, 4);
  assert.match(none.err, /no recipe has a `schedule`/);
  const address = await schedule(
    `${EVERY_SECOND}env: [HOOK]\nalert: { to: "\${{ env.HOOK }}" }\nsteps: [{ assert: "true" }]\n`,
    { env: { HOOK: "nowhere" } },
  );
  assert.equal(address.code, 2);
  assert.match(
    address.err,
    /Cannot schedule '.*r\.yaml': there is no target `nowhere` in the file that --health names/,
  );
  const jitter = await schedule(
    'schedule: { cron: "* * * * *", jitter: "${{ vars.j }}" }\nvars: { j: soon }\nsteps: [{ assert: "true" }]\n',
  );
  assert.equal(jitter.code, 2);
  assert.match(jitter.err, /`soon` is not a duration/);
  const after = await schedule(
    `${EVERY_SECOND}alert: { after: "\${{ vars.n }}", to: ops@example.com }\nvars: { n: 0 }\nsteps: [{ assert: "true" }]\n`,
  );
  assert.equal(after.code, 2);
  assert.match(after.err, /`after` must be a whole number of at least 1, not 0/);
  const options = [
    [["--log", "xml"], "--log must be text or json, not 'xml'"],
    [["--keep", "0mb"], "--keep must be a duration or a size such as 90d or 500mb, not '0mb'"],
  ] as const;
  for (const [args, message] of options) {
    const { code, err } = await runnerCli(["schedule", "recipes", ...args]);
    assert.equal(code, 2);
    assert.ok(err.startsWith(`error: ${message}\n`), err);
  }
  const url = await runnerCli(["schedule", "recipes", "--url", "nonsense"]);
  assert.equal(url.code, 2);
  assert.match(url.err, /^error: 'nonsense' is not a URL\n/);
});

test("warns that it checks only the embedded server without an address", async () => {
  const recipe = `name: Away\n${EVERY_SECOND}steps: [{ assert: "true" }]\n`;
  const environments: Record<string, string>[] = [{}, { DISPATCH_URL: "ws://127.0.0.1:1/dwp" }];
  for (const env of environments) {
    const stop = new AbortController();
    const { err } = await schedule(recipe, {
      env,
      signal: stop.signal,
      onOut: (text) => text.includes("run started") && stop.abort(),
    });
    assert.equal(
      /^warning: without --url each run checks an embedded server/m.test(err),
      !("DISPATCH_URL" in env),
      err,
    );
  }
});

test("an alert about a failure of 1 MB is cut, printed and posted", async () => {
  const recipe = `name: Big\n${EVERY_SECOND}alert: { to: "\${{ env.HOOK }}" }\nenv: [HOOK]\n` +
    "steps: [{ enqueue: noop }]\n";
  await using server = await createScriptedServer(async (peer) => {
    for (;;) peer.refuse(await peer.next(), 500, `s3cr3t-${"x".repeat(1_000_000)}`);
  });
  await withHook(async ({ url, bodies, stopAfter }) => {
    const env = { HOOK: url, DISPATCH_URL: server.url, DISPATCH_TOKEN: "s3cr3t-x" };
    const { out } = await schedule(recipe, { env, signal: stopAfter(1) });
    const alert = out.split("\n").find((line) => line.includes(" ALERT "))!;
    assert.ok(alert.length < 5_000, `${alert.length}`);
    assert.match(alert, /\*\*\*x+… \(\d+ more characters\)/);
    assert.ok(JSON.stringify(bodies[0]).length < 10_000);
  });
});
