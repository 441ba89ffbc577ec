import assert from "node:assert/strict";
import { test } from "node:test";
import { parse, type TestCase, type TestSuites } from "junit2json";
import type { RecipeEvent } from "../../runner/mod.ts";
import { HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { junitProblems } from "./_junit.ts";
import { reportOf } from "./_report.ts";

async function read(xml: string): Promise<{ root: TestSuites; cases: TestCase[] }> {
  const root = await parse(xml) as TestSuites;
  return { root, cases: (root.testsuite ?? []).flatMap(({ testcase }) => testcase ?? []) };
}

test("the schema check finds invalid documents", () => {
  const suite = '<testsuite name="a" tests="1" failures="0" errors="0">';
  const ok = `<testsuites>${suite}<testcase name="b" time="0.1"/></testsuite></testsuites>`;
  assert.deepEqual(junitProblems(ok), []);
  for (
    const [from, to] of [
      ['name="b"', ""],
      ['time="0.1"', 'time="1e3"'],
      ['time="0.1"', 'line="1"'],
      ['errors="0"', ""],
      ["<testcase", "<case"],
      ["<testcase", "<properties/>text<testcase"],
      ['"0.1"/>', '"0.1"><properties/></testcase>'],
      ['"0.1"/>', '"0.1"><flakyFailure/></testcase>'],
      [
        '"0.1"/>',
        '"0.1"><flakyFailure type="a"><system-out/><stackTrace/></flakyFailure></testcase>',
      ],
      ['name="b"', 'name="\u0001"'],
      ["testsuites>", "suites>"],
    ] as const
  ) {
    assert.notDeepEqual(junitProblems(ok.replaceAll(from, to)), [], `${from} → ${to}`);
  }
});

for (
  const [name, events] of [
    ["a run", sampleRun()],
    ["an interrupted run", sampleRun({ interrupted: true })],
    ["events that stop early", sampleRun().slice(0, 20)],
    ["no events", []],
  ] as const
) {
  test(`matches Jenkins' schema: ${name}`, async () => {
    const xml = await reportOf("junit", events);
    assert.deepEqual(junitProblems(xml), []);
  });
}

test("writes a test case with file, time and outcome for each case", async () => {
  const { root, cases } = await read(await reportOf("junit", sampleRun()));
  assert.equal(root.tests, 7);
  assert.equal(root.failures, 2);
  assert.equal(root.errors, 1);
  assert.equal(root.time, 5.102);
  assert.deepEqual(root.testsuite!.map(({ name }) => name), [
    "recipes/order.yaml",
    ...[1, 2, 3, 4, 5, 6].map((i) => `recipes/${i}.yaml`),
  ]);
  assert.deepEqual(
    cases.map(({ classname, time, failure, error, skipped }) => [
      classname,
      time,
      failure ? "failure" : error ? "error" : skipped ? "skipped" : "passed",
    ]),
    [
      ["recipes/order.yaml", 0.91, "passed"],
      ["recipes/1.yaml", 0.4, "passed"],
      ["recipes/2.yaml", 0.41, "failure"],
      ["recipes/3.yaml", 0.02, "error"],
      ["recipes/4.yaml", 0.01, "failure"],
      ["recipes/5.yaml", 0.1, "passed"],
      ["recipes/6.yaml", 0, "skipped"],
    ],
  );
  assert.equal(cases[1]!.name, "Flaky [region=eu]");
  assert.equal(cases[4]!.failure![0]!.message, "nothing was asserted or waited for");
  assert.equal(cases[6]!.skipped![0]!.message, "not started: another case did not pass");
});

test("writes the details and place of a failure, and the steps as output", async () => {
  const { root, cases } = await read(await reportOf("junit", sampleRun()));
  const text = cases[2]!.failure![0]!.inner!;
  for (const part of ["seen: running at 0 ms", "- expected", "at recipes/2.yaml:12:5"]) {
    assert.ok(text.includes(part), part);
  }
  assert.equal(cases[2]!.failure![0]!.type, "wait");
  assert.ok(cases[2]!["system-out"]![0]!.includes("✗ 3 assert stats.jobs == 3 (1 ms; soft)"));
  assert.ok(cases[2]!["system-err"]![0]!.includes("was not consumed by this recipe's runs"));
  assert.ok(cases[0]!["system-out"]![0]!.includes("half way"));
  const properties = root.testsuite!.map(({ properties }) =>
    properties!.map(({ name, value }) => `${name}=${value}`)
  );
  assert.deepEqual(properties[0], ["server=embedded", "tag=smoke", "tag=orders"]);
  assert.deepEqual(properties[1], ["server=embedded", "matrix.region of Flaky [region=eu]=eu"]);
});

test("writes the failed attempts of a flaky case like Surefire", async () => {
  const xml = await reportOf("junit", sampleRun());
  assert.match(
    xml,
    /<flakyFailure message="`email[^"]*" type="assertion"><stackTrace>[^<]*<\/stackTrace><system-out>attempt 1 of [^<]*<\/system-out><\/flakyFailure>/,
  );
});

test("escapes hostile text, and replaces only what XML forbids", async () => {
  const xml = await reportOf("junit", sampleRun());
  const { cases } = await read(xml);
  const seen = HOSTILE.replace("\u0000\u0008\u001b", "␀␈␛")
    .replace("\ud800", "\\u{d800}").replace("\uffff", "\\u{ffff}");
  assert.equal(cases[2]!.name, `Payment ${seen}`);
  assert.ok(cases[2]!.failure![0]!.message!.endsWith(seen));
  assert.ok(cases[2]!.failure![0]!.inner!.includes(`\n  ${seen}\n`));
  assert.ok(!xml.includes("]]>"));
  assert.ok(!xml.includes("<script"));
});

test("marks an interrupted run", async () => {
  for (const events of [sampleRun({ interrupted: true }), sampleRun().slice(0, 20), []]) {
    const xml = await reportOf("junit", events);
    const { root, cases } = await read(xml);
    assert.match(root.name!, /^dispatch \(Interrupted: /);
    if (cases.length > 0) assert.ok(xml.includes('<property name="interrupted" value="true"/>'));
  }
  const { cases } = await read(await reportOf("junit", sampleRun({ interrupted: true })));
  assert.equal(cases[5]!.skipped![0]!.message, "interrupted: interrupted by SIGINT");
  assert.equal(cases[6]!.skipped![0]!.message, "not started: the run was interrupted");
});

/** The sample run with megabytes of text in its failures. */
function* withHugeFailures(size: number): Generator<RecipeEvent> {
  for (const event of sampleRun()) {
    if (!("failure" in event) || !event.failure) yield event;
    else {
      const { failure } = event;
      const lines = [...failure.lines, "😀".repeat(size / 2), ...Array(100_000).fill("line")];
      yield {
        ...event,
        failure: { ...failure, message: `${failure.message} ${"x".repeat(size)}`, lines },
      };
    }
  }
}

test("cuts ten megabytes of text with a note", async () => {
  const xml = await reportOf("junit", withHugeFailures(10_000_000));
  assert.ok(xml.length < 1_000_000, `${xml.length} characters`);
  assert.deepEqual(junitProblems(xml), []);
  assert.match(xml, /… \(9984\d\d\d more characters\)/);
  assert.match(xml, /… 99\d\d\d more lines/);
});

test("writes three thousand cases", async () => {
  const xml = await reportOf("junit", manyCases(3_000));
  assert.deepEqual(junitProblems(xml), []);
  const { root, cases } = await read(xml);
  assert.equal(root.tests, 3_000);
  assert.equal(root.failures, 300);
  assert.equal(root.testsuite!.length, 50);
  assert.equal(cases.length, 3_000);
});
