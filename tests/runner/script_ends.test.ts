import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { RunnerProcess } from "./_process.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

/** Runs a recipe in a process of its own: what it does when its time is over ends with the process. */
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

test("a recipe that catches every failure ends when its time is over", async () => {
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

test("a recipe that calls for ever ends when its time is over", async () => {
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

test("a recipe that catches every failure can be interrupted", async () => {
  await runIn(
    `recipe("Catches", async (t) => {
  t.assert(true);
  t.log("it has begun");
  while (true) { try { await t.sleep("no duration"); } catch {} }
})`,
    async (runner) => {
      await runner.printed("it has begun");
      runner.signal("SIGINT");
      assert.equal(await runner.exit(), 130, runner.output);
    },
  );
});

test("a function that was given up sends nothing more; only its clean-up does", async () => {
  await runIn(
    `recipe("Given up", async (t) => {
  let goOn;
  t.always(async () => {
    await t.enqueue("noop", null, { name: "the clean-up's" });
    goOn();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await t.sleep("1ms", { name: "the clean-up's last" });
  });
  t.log("it has begun");
  await new Promise((resolve) => goOn = resolve);
  t.log("the function's line");
  try { await t.enqueue("noop", null, { name: "the function's" }); } catch (error) {
    console.error("refused: " + error.message);
  }
  while (true) { try { await t.stats({ name: "the function's" }); } catch {} }
})`,
    async (runner) => {
      await runner.printed("it has begun");
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
    ["a promise that nobody awaits", "Promise.reject(new Error('no ' + t.secrets.KEY));"],
    ["a timer", "setInterval(() => { throw new Error('no ' + t.secrets.KEY); }, 1);"],
  ]
) {
  test(`an error of ${what} fails the recipe, without its secrets, and reports are written`, async () => {
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

test("the process ends with the recipe, whatever that has left behind", async () => {
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
