import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { withFiles } from "./_recipe.ts";
import { RunnerProcess } from "./_process.ts";

/** A recipe that waits in its steps, with these `always` steps. */
const waiting = (always: string) => `
steps:
  - log: it has begun
  - id: job
    enqueue: noop
  - wait: job
  - sleep: 1h
  - log: never reached
always:
${always}
`;

/** Runs a recipe in a process, and kills it at the end. */
function run(text: string, use: (runner: RunnerProcess) => Promise<void>): Promise<void> {
  return withFiles({ "long.yaml": text }, async (directory) => {
    const runner = new RunnerProcess(["runner.ts", join(directory, "long.yaml")]);
    try {
      await use(runner);
    } finally {
      runner.signal("SIGKILL");
    }
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`${signal} stops the steps, runs the always steps, and exits with 130`, async () => {
    await run(waiting('  - log: "cleaned up"'), async (runner) => {
      await runner.printed("wait for job");
      runner.signal(signal);
      assert.equal(await runner.exit(), 130);
      assert.match(runner.output, /■ sleep 1h/);
      assert.match(runner.output, /│ cleaned up/);
      assert.match(runner.output, /- log never reached {2}not reached/);
      assert.match(runner.output, /Interrupted: 1 interrupted in /);
      assert.ok(runner.output.includes(`Interrupted by ${signal}`));
    });
  });
}

test("a second signal exits immediately", async () => {
  await run(waiting('  - log: "cleaning up"\n  - sleep: 1h'), async (runner) => {
    await runner.printed("wait for job");
    runner.signal("SIGINT");
    await runner.printed("cleaning up");
    runner.signal("SIGINT");
    assert.equal(await runner.exit(5_000), 130);
    assert.ok(!runner.output.includes("Interrupted:"));
  });
});

test("a failing `always` step does not hide the first failure", async () => {
  await run(
    "steps:\n  - assert: 1 == 2\nalways:\n  - assert: 3 == 4\n",
    async (runner) => {
      assert.equal(await runner.exit(), 1);
      const first = runner.output.indexOf("`1 == 2` is false");
      assert.ok(first !== -1 && first < runner.output.indexOf("`3 == 4` is false"));
    },
  );
});

test("the process exits when the run is over", async () => {
  const runner = new RunnerProcess(["runner.ts", "recipes/order-payment.yaml"]);
  assert.equal(await runner.exit(), 0, runner.output);
});

test("a TypeScript recipe runs as a program", async () => {
  const runner = new RunnerProcess(["tests/runner/shop.recipe.ts", "--quiet"]);
  assert.equal(await runner.exit(), 0, runner.output);
  assert.match(runner.output, /2 passed in /);
});

test("the example script recipes/hello.ts runs", async () => {
  const runner = new RunnerProcess(["recipes/hello.ts"]);
  assert.equal(await runner.exit(), 0, runner.output);
  assert.match(runner.output, /step ship\nrun wfrun_\w+ completed\n$/);
});

test("dev serves a run of another process until it is interrupted", async () => {
  const server = new RunnerProcess(["runner.ts", "dev", "--port", "0"]);
  try {
    await server.printed("/dwp");
    const url = /ws:\/\/127\.0\.0\.1:\d+\/dwp/.exec(server.output)![0];
    const runner = new RunnerProcess(["runner.ts", "recipes/order-smoke.yaml"], {
      DISPATCH_URL: url,
    });
    assert.equal(await runner.exit(), 0, runner.output);
    server.signal("SIGINT");
    assert.equal(await server.exit(), 0);
  } finally {
    server.signal("SIGKILL");
  }
});
