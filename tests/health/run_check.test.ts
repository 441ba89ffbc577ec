import { deepEqual, equal, match, ok } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type CliOptions, runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const recipe = (steps: string) =>
  `name: Smoke\nschedule: { cron: "* * * * * *" }\nalert: { after: 1 }\nsteps: ${steps}\n`;

/** A line of the log, as programs read it. */
// deno-lint-ignore no-explicit-any
type Line = Record<string, any>;

/** Runs a schedule of a recipe until a line is what is looked for, and returns that line. */
async function logged(
  text: string,
  find: (line: Line, directory: string) => boolean,
  { args = [], ...options }: CliOptions & { args?: string[] } = {},
): Promise<Line> {
  return await withFiles({ "r.yaml": text }, async (directory) => {
    const stop = new AbortController();
    let found: Line | undefined;
    const { out, err } = await runnerCli([
      ...["schedule", directory, "--log", "json"],
      ...args.map((arg) => arg.replace("DIR", directory)),
    ], {
      ...{ ...options, signal: stop.signal },
      onOut: (text) => {
        for (const line of text.trimEnd().split("\n").map((one) => JSON.parse(one))) {
          if (!find(line, directory)) continue;
          found ??= line;
          stop.abort();
        }
      },
    });
    ok(found, out + err);
    for (const { place } of [found]) if (place) place.file = place.file.replace(directory, "DIR");
    return found;
  });
}

const isFinished = ({ event }: Line) => event === "finished";

test("a run that does not pass says why, with a code and a place", async () => {
  const failed = await logged(recipe('[{ assert: "1 == 2" }]'), isFinished);
  equal(failed.failure, "`1 == 2` is false");
  deepEqual([failed.code, failed.place], [
    "assertion",
    { file: "DIR/r.yaml", line: 4, column: 20 },
  ]);
  const unchecked = await logged(recipe("[{ log: hello }]"), isFinished);
  deepEqual([unchecked.verdict, unchecked.failure, unchecked.code, unchecked.place], [
    ...["unchecked", "nothing was asserted or waited for", "unchecked", undefined],
  ]);
});

test("what a run prints is never taken for the reason that it failed", async () => {
  const steps = '[{ log: "error: not this one" }, { assert: "1 == 2" }]';
  const { failure } = await logged(recipe(steps), isFinished);
  equal(failure, "`1 == 2` is false");
});

test("a run that cannot connect, or write its report, has the code of that", async () => {
  const url = ["--url", "ws://127.0.0.1:1/dwp"];
  const away = await logged(recipe('[{ assert: "true" }]'), isFinished, { args: url });
  deepEqual([away.verdict, away.exit_code, away.code], ["errored", 3, "connect_failed"]);
  match(away.failure, /^Cannot connect to 'ws:\/\/127\.0\.0\.1:1\/dwp'/);
  const report = await logged(recipe('[{ assert: "true" }]'), (line, directory) => {
    // Nobody can write a file where there is a directory.
    if (line.event === "started") mkdirSync(join(directory, "junit.xml"), { recursive: true });
    return isFinished(line);
  }, { args: ["--reporter", "junit=DIR/junit.xml"] });
  deepEqual([report.verdict, report.exit_code, report.code], ["errored", 3, "report_failed"]);
  match(report.failure, /^reporter junit failed: /);
});

test("a file that breaks is told with the code and the place of its first error", async () => {
  for (
    const [broken, code, message, place] of [
      [recipe('[{ asert: "true" }]'), "no-kind", /step/, [4, 11]],
      [
        recipe('[{ assert: "true" }]').replace("after: 1", "to: [opss]"),
        ...["unknown-target", /there is no target `opss`/, [3, 15]] as const,
      ],
      [
        `vars: { pause: 10ms }\n${recipe('[{ assert: "true" }]')}`
          .replace("after: 1", 'remind: "${{ vars.pause }}"'),
        ...["usage", /`remind` must be at least 1 s/, undefined] as const,
      ],
    ] as const
  ) {
    let isWritten = false;
    const line = await logged(recipe('[{ assert: "true" }]'), ({ event }, directory) => {
      // The schedule has looked at the file before.
      if (!isWritten && event === "finished") {
        writeFileSync(join(directory, "r.yaml"), broken);
        isWritten = true;
      }
      return event === "broken";
    });
    equal(line.code, code);
    match(line.message, message);
    if (!place) equal(line.place, undefined);
    else {
      deepEqual(line.place, { file: "DIR/r.yaml", line: place[0], column: place[1] });
      match(
        line.message,
        new RegExp(`r\\.yaml:${place.join(":")}: .*; its last good version runs$`),
      );
    }
  }
});

/** A clock that counts time as finely as that of a machine. */
class FineClock extends FakeClock {
  override monotonic(): number {
    return super.monotonic() * 1.000123456789;
  }
}

test("durations have no more digits than a tenth of a millisecond", async () => {
  const steps = '[{ sleep: 1234ms }, { assert: "true" }]';
  const { duration_ms } = await logged(recipe(steps), isFinished, { clock: new FineClock() });
  ok(duration_ms > 1_200, `${duration_ms}`);
  match(String(duration_ms), /^\d+(\.\d)?$/);
});
