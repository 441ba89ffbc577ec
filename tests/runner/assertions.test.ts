import assert from "node:assert/strict";
import { test } from "node:test";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

async function failure(steps: string, vars = "{}") {
  const { code, events } = await runRecipe(`vars: ${vars}\nsteps:\n${steps}\n`);
  assert.equal(code, 1);
  return firstFailure(events);
}

test("shows the value and type of each operand", async () => {
  const { message, lines, place } = await failure(
    '  - assert: vars.n < 3 && vars.name == "a"',
    "{ n: 2, name: b }",
  );
  assert.equal(message, '`vars.n < 3 && vars.name == "a"` is false');
  assert.deepEqual(lines, [
    "vars.n < 3  is true (boolean)",
    "  vars.n  is 2 (whole number)",
    'vars.name == "a"  is false (boolean)',
    '  vars.name  is "b" (text)',
  ]);
  assert.deepEqual([place?.line, place?.column, place?.length], [3, 13, 30]);
});

test("shows a diff of lists and maps", async () => {
  const { lines } = await failure(
    "  - assert: vars.a == vars.b",
    "{ a: { x: 1, list: [1, 2, 3] }, b: { x: 1, list: [1, 5], y: 2 } }",
  );
  assert.deepEqual(lines.slice(2), ["- list[1]: 5", "+ list[1]: 2", "+ list[2]: 3", "- y: 2"]);
});

test("shows the list that a macro searches", async () => {
  const { lines } = await failure('  - assert: vars.l.exists(x, x == "c")', "{ l: [a, b] }");
  assert.deepEqual(lines, ['vars.l  is ["a","b"] (list)']);
});

test("names an absent field", async () => {
  const { message, lines } = await failure(
    "  - id: job\n    enqueue: noop\n    payload: { a: 1 }\n  - assert: job.payload.b == 1",
  );
  assert.equal(message, "`job.payload.b` is absent");
  // The message alone explains the failure.
  assert.deepEqual(lines, []);
});

test("shows all failed assertions of a step", async () => {
  const { message, lines } = await failure(
    "  - assert: [vars.n == 1, vars.n == 2, vars.n == 3]\n    expect: { vars.n: { gt: 2 } }",
    "{ n: 1 }",
  );
  assert.equal(message, "3 of 4 assertions do not hold");
  assert.deepEqual(lines.filter((line) => !line.startsWith(" ")), [
    "`vars.n == 2` is false",
    "`vars.n == 3` is false",
    "`vars.n` is 1 (whole number), but should be > 2",
  ]);
});

test("truncates long values and shows their size", async () => {
  const { lines } = await failure('  - assert: vars.l == "x"', `{ l: ${"a".repeat(500)} }`);
  assert.match(lines[0]!, /^vars\.l {2}is "a{119}… \(500 characters\) \(text\)$/);
});

test("truncates text between characters", async () => {
  const faces = "😀".repeat(63);
  const { lines } = await failure('  - assert: vars.l == "x"', `{ l: a${faces} }`);
  assert.match(lines[0]!, /"a(😀){59}… /);
  const long = "😀".repeat(80);
  const { lines: both } = await failure(`  - expect: { vars.s: ${long}ab }`, `{ s: ${long}😁 }`);
  assert.deepEqual(both, [
    `- …"${"😀".repeat(10)}ab" (162 characters)`,
    `+ …"${"😀".repeat(10)}😁" (162 characters)`,
  ]);
  const { lines: inside } = await failure(`  - expect: { vars.s: ${long}xb }`, `{ s: ${long}xc }`);
  assert.equal(inside[0], `- …"${"😀".repeat(10)}xb" (162 characters)`);
});

test("an unsigned number equals a number", async () => {
  const { code, err } = await runRecipe(
    `steps:
  - id: job
    enqueue: noop
    payload: { n: "\${{ uint(3) }}" }
  - expect: { "uint(3)": 3, job.payload.n: 3 }
`,
  );
  assert.equal(code, 0, err);
});

test("a payload can have the key `__proto__`, a map literal cannot", async () => {
  const payload = "{ __proto__: { a: 1 }, b: 2 }";
  const { code, err } = await runRecipe(
    `steps:
  - id: job
    enqueue: noop
    payload: ${payload}
  - assert: size(job.payload) == 2 && job.payload.b == 2
  - expect: { job.payload: { equals: ${payload} } }
`,
  );
  assert.equal(code, 0, err);
  const refused = await runRecipe(
    `vars: { e: "\${{ dyn({}) }}" }\nsteps:\n  - assert: 'vars.e == {"__proto__": 1}'\n`,
  );
  assert.equal(refused.code, 2);
  assert.match(refused.err, /a map literal cannot have the key `__proto__`/);
});

const job =
  "  - id: job\n    enqueue: noop\n    payload: { n: 3, text: abc, list: [1, 2], no: null }\n";
for (
  const [matcher, reason] of [
    ["n: 3", undefined],
    ['n: "3"', 'is 3 (whole number), but should be "3"'],
    ["n: 3.0", undefined],
    ["n: { gt: 2, lt: 4, gte: 3, lte: 3 }", undefined],
    ["n: { gt: 3 }", "is 3 (whole number), but should be > 3"],
    ["n: { not: 3 }", "is 3 (whole number), but should be anything but 3"],
    ["text: { matches: ^a.c$ }", undefined],
    ["text: { matches: ^b }", 'is "abc" (text), but should be a text that matches "^b"'],
    ["text: { contains: b }", undefined],
    ["text: { gt: 2 }", 'is "abc" (text), but should be > 2'],
    ["list: [1, 2]", undefined],
    ["list: { contains: 2, length: 2 }", undefined],
    ["list: { contains: 3 }", "is [1,2] (list), but should be something that contains 3"],
    ["list: { length: { gt: 2 } }", "is [1,2] (list), but should be of a length > 2"],
    ["n: { one_of: [1, 3] }", undefined],
    ["n: { one_of: [1, 2] }", "is 3 (whole number), but should be one of [1,2]"],
    ["no: null", undefined],
    ["no: { exists: true, type: null }", undefined],
    ["nope: { exists: false }", undefined],
    ["nope: 1", "is absent, but should be 1"],
    ["n: { exists: false }", "is 3 (whole number), but should be absent"],
    ["n: { type: text }", "is 3 (whole number), but should be of type text"],
    ["n: { equals: 3 }", undefined],
  ] as const
) {
  test(`expect ${matcher} ${reason === undefined ? "holds" : "fails"}`, async () => {
    const { code, events } = await runRecipe(
      `steps:\n${job}  - expect: { job.payload.${matcher} }\n`,
    );
    assert.equal(code, reason === undefined ? 0 : 1);
    if (reason === undefined) return;
    const path = matcher.slice(0, matcher.indexOf(":"));
    assert.equal(firstFailure(events).message, `\`job.payload.${path}\` ${reason}`);
  });
}

test("shows a negated operand as a whole", async () => {
  const { lines } = await failure("  - assert: '!(vars.n == 1) || false'", "{ n: 1 }");
  assert.deepEqual(lines, [
    "!(vars.n == 1)  is false (boolean)",
    "  vars.n == 1  is true (boolean)",
    "    vars.n  is 1 (whole number)",
  ]);
});

test("shows long texts from the first difference on", async () => {
  const long = "x".repeat(200);
  const { lines } = await failure(`  - expect: { vars.s: ${long}b }`, `{ s: ${long}a }`);
  const x = "x".repeat(20);
  assert.deepEqual(lines, [`- …"${x}b" (201 characters)`, `+ …"${x}a" (201 characters)`]);
});

test("limits the number of differences shown", async () => {
  const list = JSON.stringify(Array.from({ length: 50 }, (_, i) => i));
  const { lines } = await failure("  - expect: { vars.l: [] }", `{ l: ${list} }`);
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), "… and more");
});

test("counts each matcher as an assertion", async () => {
  const { message } = await failure("  - expect: { vars.n: { gt: 2, lt: 0, gte: 1 } }", "{ n: 1 }");
  assert.equal(message, "2 of 3 assertions do not hold");
});

test("`exists: false` fails for a step that did not run", async () => {
  const steps = "  - id: a\n    if: 1 == 2\n    enqueue: noop\n";
  const { message } = await failure(`${steps}  - expect: { a.state: { exists: false } }`);
  assert.equal(message, "`a` has no value: its step did not run");
});

test("describes operands of the wrong type", async () => {
  const { message, lines } = await failure(
    "  - id: a\n    enqueue: noop\n    payload: { n: 3 }\n  - assert: a.payload.n < 'x'",
  );
  assert.equal(message, "`<` cannot compare a whole number and text");
  assert.deepEqual(lines, ["a.payload.n  is 3 (whole number)"]);
});

test("does not show a random operand, but its parts", async () => {
  const { lines } = await failure("  - assert: random(2) + vars.n == 100", "{ n: 1 }");
  assert.deepEqual(lines, ["vars.n  is 1 (whole number)"]);
});

test("evaluates an operand with `now()` again and says so", async () => {
  const { lines } = await failure(
    '  - assert: now() - timestamp(vars.t) < duration("0s")',
    '{ t: "2026-01-01T00:00:00Z" }',
  );
  assert.match(
    lines[0]!,
    /^now\(\) - timestamp\(vars\.t\) {2}is [\d.]+s \(duration\), a moment later$/,
  );
  assert.match(lines[1]!, /^ {2}now\(\) {2}is [-\dT:.]+Z \(time\), a moment later$/);
  assert.deepEqual(lines.slice(2), [
    "  timestamp(vars.t)  is 2026-01-01T00:00:00.000Z (time)",
    '    vars.t  is "2026-01-01T00:00:00Z" (text)',
    'duration("0s")  is 0s (duration)',
  ]);
});

for (
  const [expression, value] of [
    ["int('9007199254740993')", "9007199254740993 (whole number)"],
    ["uint(vars.n)", "2 (whole number)"],
    ["double(vars.n)", "2.0 (number)"],
    ["double(vars.n) / 0.0", "Infinity (number)"],
    ["double(vars.n - 2) / 0.0", "NaN (number)"],
    ["duration('90s')", "90s (duration)"],
    ["duration('1s') - duration('2500ms')", "-1.5s (duration)"],
    ["bytes(vars.t)", '"YWI=" (bytes, as base64)'],
    ["type(vars.n)", "int (type)"],
    ["[vars.n]", "[2] (list)"],
    ["{'a': vars.n}", '{"a":2} (map)'],
    ["dyn(null)", "null (null)"],
  ]
) {
  test(`shows ${expression} as ${value}`, async () => {
    const { lines } = await failure(
      `  - assert: "dyn(${expression}) == dyn(vars.t)"`,
      "{ n: 2, t: ab }",
    );
    assert.ok(lines.some((line) => line.trim() === `${expression}  is ${value}`), lines.join("\n"));
  });
}

test("names the expression and line of each error among several failures", async () => {
  const { message, lines, place } = await failure(
    `  - id: j
    enqueue: noop
    payload: { z: 0 }
  - assert: [1 / j.payload.z == 1, vars.n == 1]
    expect:
      vars.n: { gt: "\${{ 5 / j.payload.z }}", lt: 0 }
      7 % j.payload.z: 1
      vars.l: 3`,
    "{ n: 0, l: 4 }",
  );
  assert.equal(message, "6 of 6 assertions do not hold");
  assert.equal(place?.line, 6);
  assert.deepEqual(lines.filter((line) => !line.startsWith(" ")), [
    "`1 / j.payload.z == 1`: division by zero (line 6)",
    "`vars.n == 1` is false",
    "`vars.n`: division by zero (line 8)",
    "`vars.n` is 0 (whole number), but should be < 0",
    "`7 % j.payload.z`: modulo by zero (line 9)",
    "`vars.l` is 4 (whole number), but should be 3",
  ]);
});

test("names the quirk when the output of a completed run is absent", async () => {
  const { events } = await runRecipe(`
steps:
  - id: order
    start: order-payment
    input: { order_id: ORD-7 }
  - expect: { order.output: { exists: true } }
    soft: true
  - publish: payment-received
  - wait: order
  - assert: order.name == "x"
    soft: true
  - assert: order.output.total == 3
    soft: true
  - assert: [1 == 2, order.output == 3]
    soft: true
  - expect: { order.output: { exists: true } }
    soft: true
  - expect: { order.output.total: 3 }
    soft: true
  - log: \${{ order.output }}
    soft: true
  - wait: order
    until: \${{ order.output.total == 3 }}
    soft: true
`);
  const failures = ends(events).flatMap(({ failure }) => failure ?? []);
  const named = failures.map(({ lines }) => lines.some((line) => line.includes("`outputs-lost`")));
  // The first two: the run is still running, and the assertion is about something else.
  const expected = [false, false, true, true, true, true, true, true];
  assert.deepEqual(named, expected, JSON.stringify(failures));
});
