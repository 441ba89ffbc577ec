import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock } from "../../dev/virtual_clock.ts";
import { readReporters } from "../../runner/cli/reporter_option.ts";
import { UsageError } from "../../runner/cli/args.ts";
import { type ReporterEntry, REPORTERS } from "../../runner/report/registry.ts";
import type { Reporter } from "../../runner/report/reporter.ts";
import { ReporterGroup } from "../../runner/report/reporter_group.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { sampleRun } from "./_events.ts";

const RECIPE = { "a.yaml": "steps: [{ assert: true }]" };

/** Registers a reporter as `odd` while `work` runs. */
async function withReporter<T>(reporter: Reporter, work: () => Promise<T>): Promise<T> {
  const reporters = REPORTERS as Record<string, ReporterEntry>;
  reporters.odd = {
    description: "a test",
    writes: "document",
    load: () => Promise.resolve({ openReporter: () => reporter }),
  };
  try {
    return await work();
  } finally {
    delete reporters.odd;
  }
}

test("a reporter that fails turns a pass into 3, and the others go on", async () => {
  const failing: [string, Reporter][] = [
    ["in report", {
      report() {
        throw new Error("in report");
      },
    }],
    ["in finish", {
      report() {},
      finish() {
        throw new Error("in finish");
      },
    }],
    ["late", { report() {}, finish: () => Promise.reject(new Error("late")) }],
    ["not an Error", { report() {}, finish: () => Promise.reject("not an Error") }],
  ];
  for (const [why, reporter] of failing) {
    await withFiles(RECIPE, async (directory) => {
      const { code, out, err } = await withReporter(reporter, () =>
        runnerCli([
          join(directory, "a.yaml"),
          `--reporter=odd=${join(directory, "odd.out")}`,
          "--reporter=console",
          `--reporter=json=${join(directory, "run.json")}`,
        ]));
      assert.equal(code, 3);
      assert.equal(err, `error: reporter odd failed: ${why}\n`);
      assert.match(out, /1 passed/);
      assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "run.json"]);
    });
  }
});

test("gives up on a reporter that does not finish", async () => {
  await withFiles({}, async (directory) => {
    const clock = createVirtualClock({ autoSkip: false });
    let warnings = "";
    let stuck = 0;
    let release = () => {};
    const output = { isTerminal: false, color: false, columns: 80 };
    const hanging = {
      report() {},
      finish: () => new Promise<void>((resolve) => release = resolve),
    };
    await withReporter(hanging, async () => {
      const requests = readReporters(
        [`odd=${join(directory, "odd.out")}`, `json=${join(directory, "run.json")}`],
        () => undefined,
      );
      const reporters = await ReporterGroup.open(requests, {
        out: { ...output, write: () => {} },
        err: { ...output, write: (text) => void (warnings += text) },
        env: () => undefined,
        quiet: false,
        verbose: false,
        clock,
        onStuck: () => stuck++,
      });
      for (const event of sampleRun()) reporters.report(event);
      const finished = reporters.finish();
      await clock.advance("9999ms");
      assert.equal(warnings, "");
      await clock.advance("1ms");
      await finished;
    });
    assert.equal(warnings, "error: reporter odd failed: it did not finish within 10.0 s\n");
    assert.equal(stuck, 1);
    release();
    await clock.advance("1s");
    assert.deepEqual(await readdir(directory), ["run.json"]);
  });
});

test("refuses two documents on standard output", () => {
  const read = (...options: string[]) => readReporters(options, () => undefined);
  assert.throws(() => read("json", "console", "junit"), (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(
      error.message,
      "Reporters json and junit both write to standard output; give one a file: junit=FILE",
    );
    return true;
  });
  assert.equal(read("json", "junit=out.xml", "console", "github").length, 4);
});
