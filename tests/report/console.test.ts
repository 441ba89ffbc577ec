import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { createVirtualClock } from "../../dev/mod.ts";
import { ConsoleReporter, type Output, type RecipeEvent } from "../../runner/mod.ts";
import { openReporter } from "../../runner/report/console/console.ts";
import { ReporterGroup } from "../../runner/report/reporter_group.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { at, HOSTILE, manyCases, sampleRun } from "./_events.ts";

interface PrintOptions {
  color?: boolean;
  quiet?: boolean;
  isTerminal?: boolean;
  columns?: number;
}

function print(events: Iterable<RecipeEvent>, options: PrintOptions = {}): string {
  const { color = false, quiet = false, isTerminal = false, columns = 80 } = options;
  let text = "";
  const output: Output = { write: (piece) => void (text += piece), isTerminal, color, columns };
  const reporter = new ConsoleReporter(output, { quiet });
  for (const event of events) reporter.report(event);
  reporter.finish();
  return text;
}

/** The sample run with only one of its cases. */
function singleCase(index: number): RecipeEvent[] {
  return sampleRun().filter((event) => !("case" in event) || event.case === index)
    .map((event) => event.type === "run.started" ? { ...event, cases: 1 } : event);
}

test("prints the steps of a single case as they end, and then a summary", () => {
  equal(
    print(singleCase(0)).replace(/\n\n.*\n$/, "\n"),
    `\
Order smoke  recipes/order.yaml
  ✓ start order-payment                199 ms  wfrun_1
  │ half way
  ✓ wait for order                     695 ms  completed
  - always: cancel email  \`email\` did not run
`,
  );
});

test("prints a line for each of several cases, with the steps of those that did not pass", () => {
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

test("prints every failure in full at the end, in the format of diagnostics", () => {
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

test("breaks up CI commands in failures", () => {
  const lines = ["::error::one", "::error::two"];
  const failure = { kind: "wait" as const, message: "::error::x", lines };
  const events = sampleRun().map((event) =>
    event.type === "step.finished" && event.failure ? { ...event, failure } : event
  );
  ok(!print(events).split("\n").some((line) => line.trim().startsWith("::")));
});

test("breaks up CI commands in names, labels and log lines", () => {
  const hostile = (text: string) => {
    const events = sampleRun().map((event) =>
      ({
        ...event,
        ..."name" in event ? { name: text } : {},
        ..."label" in event ? { label: text } : {},
        ..."text" in event ? { text } : {},
      }) as RecipeEvent
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

test("counts flaky cases, skipped cases and warnings in the summary", () => {
  equal(
    print(sampleRun()).trimEnd().split("\n").at(-1),
    "3 passed (1 flaky), 1 failed, 1 could not run, 1 checked nothing, 1 skipped, 1 warning in 5.10 s",
  );
});

test("names the interrupted cases and steps, and the cases that did not start", () => {
  const text = print(sampleRun({ interrupted: true }));
  match(text, /\n■ Long +100 ms {2}recipes\/5.yaml {2}interrupted\n {2}■ sleep 1h +99 ms {2}inter/);
  match(text, /\n- Not started +not started \(interrupted\) {2}recipes\/6.yaml\n/);
  match(text, /\nInterrupted: 2 passed .*2 interrupted, /);
});

test("lists only the first of many cases that did not start", () => {
  const skipped = Array.from({ length: 1000 }, (_, i): RecipeEvent => ({
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

test("prints only failures and the summary with `quiet`", () => {
  const text = print(sampleRun(), { quiet: true });
  ok(!/Order smoke|half way|✓|Not started|not consumed/.test(text));
  ok(text.startsWith("? Checks nothing "));
  match(text, /\n\nRefused › enqueue send-email\nerror: Cannot enqueue/);
  equal(print(singleCase(0), { quiet: true }).split("\n").length, 2);
});

test("prints the failure of an inner step once, and not again for the step that contains it", () => {
  const failed = sampleRun().find((e) => e.type === "step.finished" && e.status === "errored");
  const step = failed as RecipeEvent & { type: "step.finished" };
  const inner = { ...step, step: "4.2", failure: { ...step.failure!, step: "4.2" } };
  const message = `1 of 2 steps failed: ${step.failure!.message}`;
  const outer = { ...step, step: "4", failure: { ...step.failure!, step: "4", message } };
  const events = singleCase(3).flatMap((event) => event === step ? [] : [event]);
  const end = events.findIndex(({ type }) => type === "case.finished");
  events.splice(events.findIndex(({ type }) => type === "step.finished"), 1, inner, outer);
  ok(end > 0);
  const text = print(events);
  equal(text.match(/^error: /gm)?.length, 1);
  ok(text.includes("      1 of 2 steps failed: "));
});

test("says when a case is slower, flakier or fails more often than usual", () => {
  const usual = { runs: 20, failed: 2, flaky: 3, median_ms: 900, slower: true };
  const events = singleCase(0).map((event) =>
    event.type === "step.finished" && event.kind === "wait" || event.type === "case.finished"
      ? { ...event, duration_ms: 4_100, usual }
      : event
  );
  const text = print(events);
  // The median is that of the 18 runs that passed.
  const slower = "slower than usual: 4.1 s, median of 18 runs 0.9 s";
  ok(text.includes(`4.10 s  completed\n      ${slower}\n`));
  ok(text.includes(
    `  ${slower}\n  needed a retry to pass in 3 of 20 runs, failed in 2 of 20 runs\n`,
  ));
  const calm = { ...usual, failed: 0, flaky: 0, slower: false };
  ok(!/usual|runs/.test(print(events.map((e) => "usual" in e ? { ...e, usual: calm } : e))));
});

test("cuts texts of megabytes with a note", () => {
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

test("prints the same text with and without colours", () => {
  // deno-lint-ignore no-control-regex
  const plain = print(sampleRun(), { color: true }).replace(/\x1b\[\d*m/g, "");
  equal(plain, print(sampleRun()));
  const text = print(sampleRun(), { color: true });
  ok(text.includes("\x1b[31m- expected\x1b[0m"));
  ok(text.includes("\x1b[32m+ actual\x1b[0m"));
});

test("replaces control characters in names, files and messages", () => {
  const bad = `${HOSTILE}\r\n\x9b2J\u202e\u2066\u2028x`;
  const events = JSON.parse(
    JSON.stringify(sampleRun({ interrupted: true })).replaceAll(
      JSON.stringify(HOSTILE).slice(1, -1),
      JSON.stringify(bad).slice(1, -1),
    ),
  ) as RecipeEvent[];
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

test("puts the caret under the marked part after tabs and wide characters", () => {
  const place = { file: "a.yaml", line: 7, column: 6, text: "\t名👩‍👩‍👧 x: é = 1", length: 1 };
  const failed = singleCase(3).map((event) =>
    event.type === "step.finished"
      ? { ...event, failure: { ...event.failure!, place: { ...place, column: 9 } } }
      : event
  );
  ok(print(failed).includes("7 | \t名👩‍👩‍👧 x: é = 1\n  | \t     ^\n"));
});

test("prints one line for each of ten thousand cases", () => {
  const text = print(manyCases(10_000));
  equal(text.match(/^✓ /gm)?.length, 9_000);
  equal(text.match(/^error: /gm)?.length, 1_000);
  match(text, /\n9000 passed, 1000 failed in /);
});

test("draws the live view only on a capable terminal, and not with `quiet` or `verbose`", async () => {
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

test("draws no live view if another reporter writes to the same output", async () => {
  const run = async (...names: string[]) => {
    const clock = new FakeClock();
    let text = "";
    const out = {
      write: (piece: string) => void (text += piece),
      isTerminal: true,
      color: false,
      columns: 80,
    };
    const group = await ReporterGroup.open(names.map((name) => ({ name })), {
      out,
      err: out,
      quiet: false,
      verbose: false,
      clock,
      env: () => undefined,
    });
    for (const event of sampleRun()) {
      group.report(event);
      clock.advance(1_000);
    }
    await group.finish();
    return text;
  };
  ok((await run("console")).includes("\x1b[?25l"));
  const both = await run("console", "jsonl");
  ok(!both.includes("\x1b["));
  match(both, /^✓ Order smoke/m);
});
