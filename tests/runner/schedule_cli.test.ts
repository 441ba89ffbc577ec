// The command: real processes, real signals, and a receiver of alerts on this machine.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";

const EVERY_SECOND = 'schedule: { cron: "* * * * * *" }\n';

async function withProcess(
  recipe: string,
  use: (runner: RunnerProcess) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const runner = new RunnerProcess(["runner.ts", "schedule", directory], env);
    try {
      await use(runner);
    } finally {
      runner.signal("SIGKILL");
      await runner.exit();
    }
  });
}

test("Ctrl-C while nothing runs ends the schedule with 0", async () => {
  const recipe = 'name: Rare\nschedule: { cron: "0 0 29 2 *" }\nsteps: [{ assert: "true" }]\n';
  await withProcess(recipe, async (runner) => {
    await runner.printed("Rare: first run at ");
    runner.signal("SIGINT");
    assert.equal(await runner.exit(), 0);
  });
});

test("Ctrl-C while a recipe runs interrupts it, cleans up, and ends with 130", async () => {
  const recipe = `${EVERY_SECOND}steps:
  - log: it has begun
  - enqueue: noop
    name: begun
  - sleep: 1h
  - assert: "true"
always:
  - log: it is cleaned up
`;
  await withProcess(recipe, async (runner) => {
    // That its next time is skipped tells that it is at work.
    await runner.printed(": skipped at ");
    runner.signal("SIGINT");
    assert.equal(await runner.exit(), 130);
    assert.match(runner.output, /it is cleaned up/);
    assert.match(runner.output, /Interrupted/);
  });
});

/** A receiver of alerts: what it has got, and the next of it. */
interface Hook {
  url: string;
  bodies: Record<string, unknown>[];
  /** Resolves when so many have come. */
  received(count: number): Promise<void>;
}

async function withHook(use: (hook: Hook) => Promise<void>, first = 200): Promise<void> {
  const bodies: Record<string, unknown>[] = [];
  const wake: (() => void)[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => void (text += chunk));
    request.on("end", () => {
      bodies.push({
        path: request.url,
        type: request.headers["content-type"],
        ...JSON.parse(text),
      });
      response.statusCode = bodies.length === 1 ? first : 200;
      response.end();
      wake.splice(0).forEach((call) => call());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const received = async (count: number) => {
    while (bodies.length < count) await new Promise<void>((resolve) => wake.push(resolve));
  };
  try {
    await use({ url: `http://127.0.0.1:${port}`, bodies, received });
  } finally {
    server.close();
  }
}

test("a recipe that fails is told to a hook, without secrets, and again when it passes", async () => {
  const recipe = `name: Hooked
${EVERY_SECOND}alert: { after: 2, to: ["\${{ secrets.HOOK }}", ops@example.com] }
secrets: [HOOK, WORD]
steps:
  - assert: secrets.WORD == "another"
`;
  // The first attempt of all fails, and is made again.
  await withHook(async ({ url, bodies, received }) => {
    const env = { HOOK: `${url}/path-s3cr3t`, WORD: "hidden-word" };
    await withProcess(recipe, async (runner) => {
      await received(2);
      runner.signal("SIGINT");
      assert.ok([0, 130].includes((await runner.exit()) as number));
      assert.match(runner.output, /not sent to ops@example\.com/);
      assert.match(runner.output, /ALERT Hooked has failed 2 times in a row since .*is false/);
      assert.match(runner.output, /the server answered 503; retrying in 1 s/);
      assert.ok(!/s3cr3t|hidden-word/.test(runner.output), runner.output);
    }, env);
    const [first, second] = bodies;
    assert.deepEqual(second, first);
    assert.ok(!JSON.stringify(first!.text).includes("hidden-word"));
    const { path, type, recipe: name, failures, version } = { type: "", ...first } as Record<
      string,
      unknown
    >;
    assert.deepEqual([path, type, name, failures, version], [
      "/path-s3cr3t",
      "raised",
      "Hooked",
      2,
      1,
    ]);
  }, 503);
});

test("no alert tells what stands in the server's address", async () => {
  const recipe = `name: Away
${EVERY_SECOND}alert: { after: 1, to: "\${{ env.HOOK }}" }
env: [HOOK]
steps: [{ assert: "true" }]
`;
  await withHook(async ({ url, bodies, received }) => {
    const env = {
      HOOK: url,
      DISPATCH_URL: "ws://somebody:pass-s3cr3t@127.0.0.1:1/dwp?key=key-s3cr3t",
      DISPATCH_TOKEN: "token-s3cr3t",
    };
    await withProcess(recipe, async (runner) => {
      await received(1);
      runner.signal("SIGINT");
      await runner.exit();
      const told = runner.output + JSON.stringify(bodies);
      assert.match(told, /ALERT Away has failed: Cannot connect to 'ws:\/\/127\.0\.0\.1:1\/dwp'/);
      assert.ok(!told.includes("s3cr3t"), told);
    }, env);
  });
});

test("--dry-run shows the next times and what is skipped", async () => {
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
    assert.equal(times.length, 5);
    for (const time of times) {
      assert.match(time, /^ {2}\d{4}-01-01T02:00:00Z {2}skipped: maintenance$/);
    }
  });
});

test("what cannot be scheduled is told before anything runs", async () => {
  const schedule = async (recipe: string, env = {}) =>
    await withFiles(
      { "r.yaml": recipe },
      (directory) => runnerCli(["schedule", join(directory, "r.yaml")], { env }),
    );
  const none = await schedule('steps: [{ assert: "true" }]\n');
  assert.equal(none.code, 4);
  assert.match(none.err, /no recipe has a `schedule`/);
  const wrong = await schedule(
    `${EVERY_SECOND}env: [HOOK]\nalert: { to: "\${{ env.HOOK }}" }\nsteps: [{ assert: "true" }]\n`,
    { HOOK: "nowhere" },
  );
  assert.equal(wrong.code, 2);
  assert.match(
    wrong.err,
    /Cannot schedule '.*r\.yaml': `nowhere` is not a URL or an email address/,
  );
  const jitter = await schedule(
    'schedule: { cron: "* * * * *", jitter: "${{ vars.j }}" }\nvars: { j: soon }\nsteps: [{ assert: "true" }]\n',
  );
  assert.equal(jitter.code, 2);
  assert.match(jitter.err, /`soon` is no duration/);
  const url = await runnerCli(["schedule", "recipes", "--url", "nonsense"]);
  assert.equal(url.code, 2);
});
