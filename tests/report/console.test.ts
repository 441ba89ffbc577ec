import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createVirtualClock } from "../../dev/mod.ts";
import { ConsoleReporter, type Output, type RunEvent } from "../../runner/mod.ts";
import { openReporter } from "../../runner/report/console/console.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { at, HOSTILE, manyCases, sampleRun } from "./_events.ts";

interface PrintOptions {
  color?: boolean;
  quiet?: boolean;
  isTerminal?: boolean;
  columns?: number;
}

function print(events: Iterable<RunEvent>, options: PrintOptions = {}): string {
  const { color = false, quiet = false, isTerminal = false, columns = 80 } = options;
  let text = "";
  const output: Output = { write: (piece) => void (text += piece), isTerminal, color, columns };
  const reporter = new ConsoleReporter(output, { quiet });
  for (const event of events) reporter.report(event);
  reporter.finish();
  return text;
}

/** One case of the sample, as if it were alone. */
function alone(index: number): RunEvent[] {
  return sampleRun().filter((event) => !("case" in event) || event.case === index)
    .map((event) => event.type === "run.started" ? { ...event, cases: 1 } : event);
}

test("a single case shows its steps as they end, and then a summary", () => {
  equal(
    print(alone(0)).replace(/\n\n.*\n$/, "\n"),
    `\
Order smoke  recipes/order.yaml
  ✓ start order-payment                199 ms  wfrun_1
  │ half way
  ✓ wait for order                     695 ms  completed
  - always: cancel email  \`email\` did not run
`,
  );
});

test("several cases are a line each, with their steps where they did not pass", () => {
  const lines = print(sampleRun()).split("\n");
  deepEqual(lines.slice(0, 4), [
    "  │ Order smoke: half way",
    "✓ Order smoke                          910 ms  recipes/order.yaml",
    "✓ Flaky [region=eu]                    400 ms  recipes/1.yaml  flaky",
    '  ↻ attempt 1 failed: `email.state == "completed"` is false',
  ]);
  const refused = lines.indexOf(
    "✗ Refused                               20 ms  recipes/3.yaml  could not run",
  );
  equal(lines[refused + 1], "  ✗ enqueue send-email                  19 ms");
  match(lines[refused + 2]!, /^ {6}Cannot enqueue 'send-email'/);
  deepEqual(lines.slice(refused + 3, refused + 7), [
    "? Checks nothing                        10 ms  recipes/4.yaml",
    "  ? nothing was asserted or waited for",
    "✓ Quiet                                100 ms  recipes/5.yaml",
    "- Not started                                  not started (--bail)  recipes/6.yaml",
  ]);
});

test("failures are told in full at the end, as diagnostics are", () => {
  const text = print(sampleRun());
  ok(text.includes(`
Refused › enqueue send-email
error: Cannot enqueue 'send-email': the server answered 403 insufficient permissions [403]
 --> recipes/3.yaml:4:5
  |
4 |   - enqueue: send-email
  |     ^^^^^^^^^^^^^^^^^^^
`));
  ok(text.includes(`
soft failure: \`stats.jobs == 3\` is false
  --> recipes/2.yaml:20:5
   |
20 |   - assert: stats.jobs == 3
   |     ^^^^^^^^^^^^^^^^^^^^^^^
   = stats.jobs  int 2
   = 3           int 3
`));
  ok(text.indexOf("- Not started") < text.indexOf("error: "));
});

test("no line of a failure is a command to the CI that reads along", () => {
  const lines = ["::error::one", "::error::two"];
  const failure = { kind: "wait" as const, message: "::error::x", lines };
  const events = sampleRun().map((event) =>
    event.type === "step.finished" && event.failure ? { ...event, failure } : event
  );
  ok(!print(events).split("\n").some((line) => line.trim().startsWith("::")));
});

test("nothing a name or a log line holds is a command to the CI that reads along", () => {
  const hostile = (text: string) => {
    const events = sampleRun().map((event) =>
      ({
        ...event,
        ..."name" in event ? { name: text } : {},
        ..."label" in event ? { label: text } : {},
        ..."text" in event ? { text } : {},
      }) as RunEvent
    );
    return [events, events.filter((event) => !("case" in event) || event.case === 0)]
      .flatMap((events) => [print(events), print(events, { quiet: true })]).join("\n").split("\n");
  };
  ok(!hostile("  ::error::x").some((line) => line.trimStart().startsWith("::")));
  for (const command of ["##[error]x", "##vso[task.setvariable]x", "##teamcity[x]"]) {
    const lines = hostile(`a ${command}`);
    ok(lines.some((line) => line.includes(`a # ${command.slice(1)}`)));
    ok(!lines.some((line) => line.includes(command)));
  }
});

test("the summary counts flaky and skipped cases and warnings", () => {
  equal(
    print(sampleRun()).trimEnd().split("\n").at(-1),
    "3 passed (1 flaky), 1 failed, 1 could not run, 1 checked nothing, 1 skipped, 1 warning in 5.10 s",
  );
});

test("an interrupted run says so, and what was cut off and not started", () => {
  const text = print(sampleRun({ interrupted: true }));
  match(text, /\n■ Long +100 ms {2}recipes\/5.yaml {2}interrupted\n {2}■ sleep 1h +99 ms {2}inter/);
  match(text, /\n- Not started +not started \(interrupted\) {2}recipes\/6.yaml\n/);
  match(text, /\nInterrupted: 2 passed .*2 interrupted, /);
});

test("of many cases that were not started only the first are named", () => {
  const skipped = Array.from({ length: 1000 }, (_, i): RunEvent => ({
    type: "case.skipped",
    ts: at(0),
    case: i,
    name: `Case ${i}`,
    file: "recipes/a.yaml",
    reason: "bail",
  }));
  const lines = print(skipped).trimEnd().split("\n");
  equal(lines.length, 11);
  equal(lines.at(-1), "- and others  not started (--bail)");
});

test("when it is to be quiet there are failures and the summary", () => {
  const text = print(sampleRun(), { quiet: true });
  ok(!/Order smoke|half way|✓|Not started|took the event/.test(text));
  ok(text.startsWith("? Checks nothing "));
  match(text, /\n\nRefused › enqueue send-email\nerror: Cannot enqueue/);
  equal(print(alone(0), { quiet: true }).split("\n").length, 2);
});

test("a step that contains others does not tell their failure again", () => {
  const failed = sampleRun().find((e) => e.type === "step.finished" && e.status === "errored");
  const step = failed as RunEvent & { type: "step.finished" };
  const inner = { ...step, step: "4.2", failure: { ...step.failure!, step: "4.2" } };
  const message = "1 of 2 steps failed: it was refused";
  const outer = { ...step, step: "4", failure: { ...step.failure!, step: "4", message } };
  const events = alone(3).flatMap((event) => event === step ? [] : [event]);
  const end = events.findIndex(({ type }) => type === "case.finished");
  events.splice(events.findIndex(({ type }) => type === "step.finished"), 1, inner, outer);
  ok(end > 0);
  const text = print(events);
  equal(text.match(/^error: /gm)?.length, 1);
  ok(text.includes(`      ${message}\n`));
});

test("what is slower or less sure than usual is told", () => {
  const usual = { runs: 20, failed: 2, flaky: 3, median_ms: 900, slower: true };
  const events = alone(0).map((event) =>
    event.type === "step.finished" && event.kind === "wait" || event.type === "case.finished"
      ? { ...event, duration_ms: 4_100, usual }
      : event
  );
  const text = print(events);
  // What failed has no part in the median.
  const slower = "slower than usual: 4.1 s, median of 18 runs 0.9 s";
  ok(text.includes(`4.10 s  completed\n      ${slower}\n`));
  ok(text.includes(
    `  ${slower}\n  needed a retry to pass in 3 of 20 runs, failed in 2 of 20 runs\n`,
  ));
  const calm = { ...usual, failed: 0, flaky: 0, slower: false };
  ok(!/usual|runs/.test(print(events.map((e) => "usual" in e ? { ...e, usual: calm } : e))));
});

test("a text of megabytes is cut with a note", () => {
  const long = "x".repeat(1_000_000);
  const failure = { kind: "wait" as const, message: long, lines: [long] };
  const events = sampleRun().map((event) =>
    event.type === "log"
      ? { ...event, text: long }
      : event.type === "step.finished" && event.failure
      ? { ...event, label: long, failure }
      : event
  );
  const text = print(events);
  ok(text.length < 500_000, String(text.length));
  ok(text.includes("x… (984000 more characters)"));
});

test("colours only add to what is said without them", () => {
  // deno-lint-ignore no-control-regex
  const plain = print(sampleRun(), { color: true }).replace(/\x1b\[\d*m/g, "");
  equal(plain, print(sampleRun()));
  const text = print(sampleRun(), { color: true });
  ok(text.includes("\x1b[31m- expected\x1b[0m"));
  ok(text.includes("\x1b[32m+ actual\x1b[0m"));
});

test("nothing that a name or a payload holds steers the terminal", () => {
  const bad = `${HOSTILE}\r\n\x9b2J\u202e\u2066\u2028x`;
  const events = JSON.parse(
    JSON.stringify(sampleRun({ interrupted: true })).replaceAll(
      JSON.stringify(HOSTILE).slice(1, -1),
      JSON.stringify(bad).slice(1, -1),
    ),
  ) as RunEvent[];
  for (const event of events) if ("file" in event) event.file += bad;
  for (const columns of [20, 80]) {
    const text = print(events, { columns });
    // deno-lint-ignore no-control-regex
    deepEqual(text.match(/[\0-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g), null);
    // deno-lint-ignore no-control-regex
    const codes = print(events, { columns, color: true }).replace(/\x1b\[\d*m/g, "");
    equal(codes, text);
  }
});

test("the mark stands under what it means, behind wide characters and tabs", () => {
  const place = { file: "a.yaml", line: 7, column: 6, text: "\t名👩‍👩‍👧 x: é = 1", length: 1 };
  const failed = alone(3).map((event) =>
    event.type === "step.finished"
      ? { ...event, failure: { ...event.failure!, place: { ...place, column: 9 } } }
      : event
  );
  ok(print(failed).includes("7 | \t名👩‍👩‍👧 x: é = 1\n  | \t     ^\n"));
});

test("many cases are many lines and little else", () => {
  const text = print(manyCases(10_000));
  equal(text.match(/^✓ /gm)?.length, 9_000);
  equal(text.match(/^error: /gm)?.length, 1_000);
  match(text, /\n9000 passed, 1000 failed in /);
});

test("lines are drawn live only where a person looks on and the terminal can", async () => {
  const kind = async (
    options: { terminal?: boolean; quiet?: boolean; verbose?: boolean; term?: string } = {},
  ) => {
    const { terminal = true, quiet = false, verbose = false, term = "xterm" } = options;
    const output = { write: () => {}, isTerminal: terminal, color: false, columns: 80 };
    const clock = createVirtualClock({ autoSkip: false });
    const env = (name: string) => name === "TERM" ? term : undefined;
    return (await openReporter({ output, quiet, verbose, clock, env })).constructor.name;
  };
  equal(await kind(), "LiveReporter");
  for (
    const options of [{ terminal: false }, { quiet: true }, { verbose: true }, { term: "dumb" }]
  ) {
    equal(await kind(options), "ConsoleReporter", JSON.stringify(options));
  }
});

test("nothing is drawn live where another reporter writes too", async () => {
  await withFiles(
    { "a.yaml": "steps: [{ sleep: 200ms }, { assert: true }]" },
    async (directory) => {
      const run = async (...reporters: string[]) => {
        const options = reporters.map((name) => `--reporter=${name}`);
        return (await runnerCli([join(directory, "a.yaml"), ...options], { terminal: true })).out;
      };
      ok((await run("console")).includes("\x1b[?25l"));
      const both = await run("console", "jsonl");
      ok(!both.includes("\x1b"));
      match(both, /^ {2}✓ sleep 200ms/m);
    },
  );
});
