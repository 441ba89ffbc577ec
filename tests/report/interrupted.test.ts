import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { Parser } from "tap-parser";
import type { RunSummary } from "../../runner/mod.ts";
import { eventSchema } from "../../runner/report/json/event_schema.ts";
import { summarySchema } from "../../runner/report/json/summary_schema.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { RunnerProcess } from "../runner/_process.ts";
import { withFiles } from "../runner/_recipe.ts";
import { junitProblems } from "./_junit.ts";

const LONG = `
name: Long
steps:
  - id: job
    enqueue: noop
  - wait: job
  - sleep: 1h
always:
  - log: cleaned up
`;

/** The check of each report. A report without one must contain the word "interrupted". */
const CHECKS: Record<string, (text: string) => void> = {
  json(text) {
    const run: RunSummary = JSON.parse(text);
    const validate = new Ajv().compile(summarySchema());
    assert.equal(validate(run), true, JSON.stringify(validate.errors));
    assert.equal(run.interrupted, true);
    assert.equal(run.exit_code, 130);
    assert.deepEqual(run.cases.map(({ status }) => status), [
      "passed",
      "interrupted",
      "skipped",
    ]);
  },
  jsonl(text) {
    const validate = new Ajv().compile(eventSchema());
    const events = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    for (const event of events) assert.ok(validate(event), JSON.stringify(event));
    assert.equal(events.at(-1).type, "run.finished");
    assert.equal(events.at(-1).interrupted, true);
  },
  junit(text) {
    assert.deepEqual(junitProblems(text), []);
    assert.match(text, /<testsuites name="dispatch \(Interrupted: /);
    assert.match(text, /<skipped message="interrupted: /);
  },
  tap(text) {
    let bailout: unknown;
    const parser = new Parser({ strict: true }, (results) => void (bailout = results.bailout));
    parser.end(text);
    assert.equal(bailout, "The run was interrupted");
  },
};

/** The reporters that can write a file. */
const WITH_FILES = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`writes every report complete and marked as interrupted after ${signal}`, async () => {
    const files = {
      "a.yaml": "steps: [{ assert: true }]",
      "b.yaml": LONG,
      "c.yaml": "name: Not started\nsteps: [{ assert: true }]",
    };
    await withFiles(files, async (directory) => {
      const runner = new RunnerProcess([
        ...["runner.ts", directory, "--reporter", "console"],
        ...WITH_FILES.flatMap((name) => [
          "--reporter",
          `${name}=${join(directory, `${name}.report`)}`,
        ]),
        "--verbose",
      ]);
      try {
        // Frames are printed at once, while the console prints a case only when it ends.
        await runner.printed('"state":"completed"');
        runner.signal(signal);
        assert.equal(await runner.exit(), 130, runner.output);
      } finally {
        runner.signal("SIGKILL");
      }
      const expected = [...Object.keys(files), ...WITH_FILES.map((name) => `${name}.report`)];
      assert.deepEqual((await readdir(directory)).toSorted(), expected.toSorted());
      for (const name of WITH_FILES) {
        const text = await readFile(join(directory, `${name}.report`), "utf8");
        const check = CHECKS[name] ?? ((text) => assert.match(text, /\binterrupted\b/i));
        check(text);
      }
      assert.match(runner.output, /Interrupted: /);
    });
  });
}
