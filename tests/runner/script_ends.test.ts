import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

/** Runs a recipe in a separate process, which ends whatever the recipe leaves running. */
function runIn(
  made: string,
  use: (runner: RunnerProcess, directory: string) => Promise<void>,
): Promise<void> {
  return withFiles({ "r.recipe.ts": scriptModule(made) }, async (directory) => {
    const runner = new RunnerProcess(
      ["runner.ts", join(directory, "r.recipe.ts"), "--reporter", "console"].concat(
        ["--reporter", `jsonl=${join(directory, "out.jsonl")}`],
      ),
      { KEY: "s3cret" },
    );
    try {
      await use(runner, directory);
    } finally {
      runner.signal("SIGKILL");
    }
  });
}

test("stops a recipe that catches every failure when its time is over", async () => {
  await runIn(
    `recipe("Catches", { timeout: "50ms" }, async (t) => {
  t.assert(true);
  t.always(() => t.sleep("1ms"));
  while (true) { try { await t.sleep("10ms"); } catch {} }
})`,
    async (runner) => {
      assert.equal(await runner.exit(), 1, runner.output);
      assert.match(runner.output, /1 failed/);
    },
  );
});

test("stops a recipe that calls steps in an endless loop when its time is over", async () => {
  await runIn(
    `recipe("Calls", { timeout: "50ms" }, async (t) => {
  t.assert(true);
  while (true) { try { await t.stats(); } catch {} }
})`,
    async (runner) => {
      assert.equal(await runner.exit(), 1);
    },
  );
});

test("an interruption stops a recipe that catches every failure", async () => {
  await runIn(
    `recipe("Catches", async (t) => {
  t.assert(true);
  t.log("started");
  while (true) { try { await t.sleep("no duration"); } catch {} }
})`,
    async (runner) => {
      await runner.printed("started");
      runner.signal("SIGINT");
      assert.equal(await runner.exit(), 130, runner.output);
    },
  );
});

test("after an interruption only clean-up functions send requests", async () => {
  await runIn(
    `recipe("Abandoned", async (t) => {
  let goOn;
  t.always(async () => {
    await t.enqueue("noop", null, { name: "the clean-up's" });
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await t.sleep("1ms", { name: "the clean-up's last" });
  });
  t.log("started");
  await new Promise((resolve) => goOn = resolve);
  t.log("the function's line");
  try { await t.enqueue("noop", null, { name: "the function's" }); } catch (error) {
    console.error("refused: " + error.message);
  }
  while (true) { try { await t.stats({ name: "the function's" }); } catch {} }
})`,
    async (runner) => {
      await runner.printed("started");
      runner.signal("SIGINT");
      assert.equal(await runner.exit(), 130, runner.output);
      assert.match(runner.output, /the clean-up's\b/);
      assert.match(runner.output, /the clean-up's last/);
      assert.match(runner.output, /refused: Interrupted by SIGINT/);
      assert.doesNotMatch(runner.output, /the function's/);
    },
  );
});

for (
  const [what, code] of [
    ["a promise without a handler", "Promise.reject(new Error('no ' + t.secrets.KEY));"],
    ["a timer", "setInterval(() => { throw new Error('no ' + t.secrets.KEY); }, 1);"],
  ]
) {
  test(`an error in ${what} fails the recipe, and reports mask its secrets`, async () => {
    await runIn(
      `recipe("Unhandled", { secrets: ["KEY"] }, async (t) => {
  t.assert(true);
  ${code}
  await t.sleep("1h");
})`,
      async (runner, directory) => {
        assert.equal(await runner.exit(), 1, runner.output);
        assert.match(runner.output, /no \*\*\*/);
        assert.doesNotMatch(runner.output, /s3cret|runner\/engine/);
        const lines = (await readFile(join(directory, "out.jsonl"), "utf8")).trim().split("\n");
        const { failure } = lines.map((line) => JSON.parse(line))
          .find(({ type }) => type === "case.finished");
        assert.equal(failure.message, "no ***");
        assert.equal(failure.place.line, 4);
      },
    );
  });
}

test("exits when the recipe has ended, even if it has left a timer running", async () => {
  await runIn(
    `recipe("Leaves", async (t) => {
  t.assert(true);
  setInterval(() => {}, 10);
})`,
    async (runner) => {
      assert.equal(await runner.exit(), 0, runner.output);
    },
  );
});
