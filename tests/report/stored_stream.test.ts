// `report`: what a stored stream becomes.
import { deepEqual, equal, match } from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { JsonSchema } from "../../runner/language/field.ts";
import { eventSchema } from "../../runner/report/json/event_schema.ts";
import { StreamError } from "../../runner/report/json/read_stream.ts";
import { compileSchema } from "../../runner/report/json/schema_check.ts";
import { schemaMistake } from "../../runner/report/json/schema_mistake.ts";
import type { RecipeEvent, RecipeRunFinished } from "../../runner/mod.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { readStream } from "../helpers/read_stream.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { Collector } from "./_collector.ts";
import { at, retriedRun, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

const FILES = {
  "a.yaml": `
name: Passes
matrix: { region: [eu, us] }
tags: [smoke]
steps:
  - id: job
    enqueue: noop
  - wait: job
  - log: ${"${{ matrix.region }}"} is done
`,
  "b.yaml": `
name: Fails
vars: { n: 3 }
steps:
  - assert: 1 == 2
    soft: true
  - expect: { vars.n: { gt: 4 } }
    retry: { attempts: 2, backoff: 1ms }
always: [{ log: cleaned up }]
`,
  "c.yaml": "name: Checks nothing\nsteps: [{ stats: {} }]\n",
};

/** The reporters that can write a file. */
const WITH_FILES = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");

const lines = (events: readonly RecipeEvent[]) =>
  events.map((event) => `${JSON.stringify(event)}\n`).join("");

/** Runs `report` with a reporter on a stream. */
async function report(text: string, ...args: string[]) {
  return await withFiles({ "run.jsonl": text }, async (directory) => {
    const file = join(directory, "run.jsonl");
    const result = await runnerCli(["report", file, ...args]);
    return { ...result, err: result.err.replaceAll(directory, "DIR") };
  });
}

/** The arguments that make every reporter write a file of its own. */
const toFiles = (directory: string, ending: string) =>
  WITH_FILES.flatMap((name) => ["--reporter", `${name}=${join(directory, `${name}.${ending}`)}`]);

for (const args of [[], ["--clock", "virtual"], ["--parallel", "3"], ["--bail"]]) {
  test(`makes every report as the run itself does ${args.join(" ")}`, async () => {
    await withFiles(FILES, async (directory) => {
      const history = ["--history", join(directory, "h.db")];
      const env = (kind: string) => ({
        GITHUB_STEP_SUMMARY: join(directory, `summary.${kind}`),
        GITHUB_WORKSPACE: directory,
      });
      const run = [directory, ...args, ...history, ...toFiles(directory, "direct")];
      // The second run is compared with the first one, which its stream says.
      equal((await runnerCli(run, { env: env("other") })).code, 1);
      equal((await runnerCli(run, { env: env("direct") })).code, 1);
      const stream = join(directory, "jsonl.direct");
      const { code, err } = await runnerCli(
        ["report", stream, ...toFiles(directory, "stored")],
        { env: env("stored") },
      );
      deepEqual([code, err], [0, ""]);
      for (const name of [...WITH_FILES, "summary"]) {
        const [direct, stored] = await Promise.all(
          ["direct", "stored"].map((kind) => readFile(join(directory, `${name}.${kind}`), "utf8")),
        );
        equal(stored, direct, name);
        equal(direct!.includes("Fails"), true, name);
      }
    });
  });
}

test("exports the spans and metrics that the run itself exports, when it is asked to", async () => {
  await using direct = await Collector.start();
  await using stored = await Collector.start();
  await withFiles(FILES, async (directory) => {
    const file = join(directory, "run.jsonl");
    const env = (collector: Collector) => ({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const run = [directory, "--reporter", `jsonl=${file}`, "--reporter", "otel"];
    equal((await runnerCli(run, { env: env(direct) })).code, 1);
    const silent = await runnerCli(["report", file], { env: env(stored) });
    equal(silent.code, 0);
    deepEqual(stored.requests, [], "the run itself has been exported already");
    await runnerCli(["report", file, "--reporter", "otel"], { env: env(stored) });
  });
  const spans = (collector: Collector) =>
    collector.spans().map(({ traceId: _, spanId: __, parentSpanId, ...span }) => ({
      ...span,
      isRoot: parentSpanId === undefined,
    }));
  deepEqual(spans(stored), spans(direct));
  equal(spans(direct).length > 10, true);
  const points = (collector: Collector) =>
    collector.points().map(({ start: _, end: __, ...point }) => point);
  deepEqual(points(stored), points(direct));
});

test("prints to the console when no reporter is named", async () => {
  const { code, out, err } = await report(lines(sampleRun()));
  deepEqual([code, err], [0, ""]);
  match(out, /^✓ Order smoke/m);
  match(out, /3 passed \(1 flaky\), 1 failed/);
  match((await report(lines(sampleRun()), "--quiet")).out, /^(?!✓ Order smoke)/);
});

test("reads a stream with a byte order mark and the line ends of Windows", async () => {
  const text = lines(sampleRun());
  const plain = await report(text, "--reporter", "json");
  const changed = await report(`\ufeff${text.replaceAll("\n", "\r\n")}`, "--reporter", "json");
  deepEqual([changed.code, changed.out], [0, plain.out]);
});

test("leaves out a last line that is cut off, and says so", async () => {
  const text = lines(sampleRun());
  const { code, out, err } = await report(text.slice(0, -30), "--reporter", "json");
  equal(code, 0);
  const count = sampleRun().length;
  equal(
    err,
    `warning: line ${count} of 'DIR/run.jsonl' is cut off, so it is left out\n` +
      "warning: 'DIR/run.jsonl' stops before the run ended: it is shown as interrupted\n",
  );
  equal(JSON.parse(out).interrupted, true);
});

test("says that a stream without an end is shown as interrupted", async () => {
  const { code, out, err } = await report(lines(sampleRun().slice(0, -1)), "--reporter", "json");
  deepEqual([code, err], [
    ...[0, "warning: 'DIR/run.jsonl' stops before the run ended: it is shown as interrupted\n"],
  ]);
  equal(JSON.parse(out).interrupted, true);
});

test("wherever the stream is cut, the report is that of the events before", async () => {
  const text = lines(sampleRun());
  const first = text.indexOf("\n") + 1;
  await fc.assert(fc.asyncProperty(
    fc.integer({ min: first, max: text.length }),
    async (length) => {
      const { events, tornLine } = readStream(text.slice(0, length));
      const whole = text.slice(0, length).split("\n").length - 1;
      // A line that lacks only its line feed is whole.
      const complete = text[length] === "\n" ? whole + 1 : whole;
      equal(events.length, complete);
      equal(tornLine, text[length - 1] === "\n" || text[length] === "\n" ? undefined : whole + 1);
      equal(
        await reportOf("junit", events),
        await reportOf("junit", sampleRun().slice(0, complete)),
      );
    },
  ));
});

test("events and fields that a newer version has added change nothing", () => {
  const run = sampleRun().map((event) => ({ ...event, added: { later: true } }));
  const text = lines([run[0]!, { type: "step.exotic", ts: at(0) } as never, ...run.slice(1)]);
  deepEqual(readStream(text.replaceAll("\n", "\r\n\r\n")).events, run);
});

const [begin, ...others] = sampleRun();
const [, failed] = others;
const { counts } = others.at(-1) as RecipeRunFinished;

/** What a file contains, the line that is refused, and why. */
const REFUSED: [text: string, line: number, message: RegExp][] = [
  ["", 1, /^it is empty; a stream begins with the event `run.started`$/],
  ["\n\n", 1, /^it is empty/],
  ["name: Order\nsteps: []\n", 1, /^it is not JSON; each line of a stream is an event$/],
  ["{", 1, /^its first event is cut off/],
  ["{,", 1, /^it is not JSON/],
  ["[1]\n", 1, /^it is no event: it has no `type`$/],
  ['{"version":1,"cases":[]}\n', 1, /^it is no event: it has no `type`$/],
  [lines(others), 1, /^a stream begins with the event `run.started`, not `case.started`$/],
  [lines([begin!]) + "half\n" + lines(others), 2, /^it is not JSON/],
  [lines([begin!, begin!]), 2, /^another run begins here; a stream has one$/],
  [
    lines(sampleRun()) + lines(others),
    sampleRun().length + 1,
    /^it comes after the end of the run$/,
  ],
  [
    lines([{ ...begin!, version: 2 } as never]),
    ...[1, /^a newer version of the runner wrote it \(stream 2\)$/] as const,
  ],
  [
    lines([begin!, { ...failed!, attempt: 0 } as never]),
    ...[2, /^it is no event `step.started`: `attempt` must be at least 1$/] as const,
  ],
  [
    lines([begin!, { ...others.at(-1)!, counts: { ...counts, passed: "3" } } as never]),
    ...[2, /^it is no event `run.finished`: `counts.passed` must be a whole number$/] as const,
  ],
  [
    lines([begin!, { type: "warning", ts: "yesterday", text: "x" }]),
    ...[2, /^it is no event `warning`: `ts` must be a time, such as/] as const,
  ],
  [
    lines([begin!, { type: "warning", ts: "2026-13-40T00:00:00Z", text: "x" }]),
    ...[2, /`ts` must be a time/] as const,
  ],
  [
    lines([begin!, { type: "warning", ts: at(0) } as never]),
    ...[2, /^it is no event `warning`: `text` is missing$/] as const,
  ],
  [
    lines([begin!, { ...others[0]!, tags: ["a", 1] } as never]),
    ...[2, /^it is no event `case.started`: `tags\[1\]` must be text$/] as const,
  ],
];

test("the check of an event and the search for its mistake agree", () => {
  const { definitions } = eventSchema() as { definitions: Record<string, JsonSchema> };
  const events = [...sampleRun(), ...retriedRun()];
  const anything = fc.oneof(fc.jsonValue(), fc.constantFrom(-1, 0, 1.5, "", "passed", at(0), []));
  fc.assert(
    fc.property(fc.nat(), fc.nat(), anything, fc.boolean(), (which, where, value, removes) => {
      const event = structuredClone(events[which % events.length]!);
      const places = placesIn(event);
      const { parent, key } = places[where % places.length]!;
      if (removes && !Array.isArray(parent)) delete parent[key];
      else parent[key] = value;
      const schema = definitions[events[which % events.length]!.type]!;
      const json = JSON.parse(JSON.stringify(event));
      equal(
        compileSchema(schema, definitions)(json),
        schemaMistake(json, schema, definitions) === undefined,
      );
    }),
    { numRuns: 500 },
  );
});

// deno-lint-ignore no-explicit-any
function placesIn(value: any): { parent: any; key: string | number }[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.keys(value).flatMap((key) => [{ parent: value, key }, ...placesIn(value[key])]);
}

for (const [text, line, message] of REFUSED) {
  test(`refuses ${JSON.stringify(text.slice(-60))}`, () => {
    try {
      readStream(text);
    } catch (error) {
      equal(error instanceof StreamError, true, String(error));
      match((error as StreamError).message, message);
      equal((error as StreamError).line, line);
      return;
    }
    throw new Error("it was read");
  });
}

test("shows the line of a file that is no stream, and writes no report", async () => {
  const text = lines([begin!]) + '{"type": "log"}\n';
  const { code, out, err } = await report(text, "--reporter", "tap");
  deepEqual([code, out], [2, ""]);
  equal(
    err,
    "error: Cannot read stream 'DIR/run.jsonl': it is no event `log`: `ts` is missing\n" +
      ' --> DIR/run.jsonl:2:1\n  |\n2 | {"type": "log"}\n  | ^^^^^^^^^^^^^^^\n' +
      "Try: dispatch report --help\n",
  );
});

test("refuses to replace the stream, and asks for one file", async () => {
  await withFiles({ "run.jsonl": lines(sampleRun()) }, async (directory) => {
    const file = join(directory, "run.jsonl");
    const { code, err } = await runnerCli(["report", file, "--reporter", `html=${file}`]);
    equal(code, 2);
    match(err, /reporter html: '.*run\.jsonl' is a stream that is read/);
    equal(await readFile(file, "utf8"), lines(sampleRun()));
    for (const args of [[], [file, file]]) {
      match((await runnerCli(["report", ...args])).err, /^error: report takes one file, which/);
    }
    match((await runnerCli(["report", join(directory, "none")])).err, /no such file/);
  });
});

test("a report that fails at the end makes the exit code 3", async () => {
  await withFiles({ "run.jsonl": lines(sampleRun()) }, async (directory) => {
    const summary = join(directory, "summary.md");
    await writeFile(summary, "x".repeat(1 << 20));
    const { code, err } = await runnerCli(
      ["report", join(directory, "run.jsonl"), "--reporter", "github"],
      { env: { GITHUB_STEP_SUMMARY: summary }, clock: new FakeClock() },
    );
    equal(code, 3);
    match(err, /^error: reporter github failed: Cannot append to file/);
  });
});
