// What `check` reports, and where. How each message looks is tested in golden.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkRecipe } from "../../runner/mod.ts";
import { readRecipe } from "../../runner/recipe/read_recipe.ts";

/** The start of a recipe whose steps leave a job `a`, a run `r` and a list of jobs `l`. */
const STEPS = `vars: { n: 1, s: text, l: [1], f: 1.5 }
steps:
  - id: a
    enqueue: noop
  - id: r
    start: order-payment
  - id: l
    for_each: [1, 2]
    enqueue: noop
`;

/** The diagnostics of these steps and more, as `code at marked text: message label`. */
async function found(more: string): Promise<string[]> {
  const text = STEPS + more;
  const diagnostics = await checkRecipe("r.yaml", text);
  return diagnostics.filter(({ code }) => code !== "nothing-checked").map((
    { code, span, message, label = "" },
  ) => `${code} at ${text.slice(span.start, span.end)}: ${message} ${label}`.trim());
}

async function finds(more: string, ...patterns: RegExp[]): Promise<void> {
  const all = await found(more);
  assert.equal(all.length, patterns.length, `${more}\n${all.join("\n")}`);
  for (const [i, pattern] of patterns.entries()) assert.match(all[i]!, pattern);
}

test("reports an expectation that can never be met", async () => {
  for (
    const [line, pattern] of [
      ["a.state: complete", /^unknown-state at complete: .* did you mean `completed`/],
      ["r.state: { one_of: [completed, cancelled] }", /^unknown-state at cancelled/],
      ["r.state: { not: retrying }", /^unknown-state at retrying/],
      ["a.last_error: null", /^type-mismatch at null: .* never null for an absent value use/],
      ["a.priority: { contains: 3 }", /cannot contain anything/],
      ["a.queue: { contains: 3 }", /cannot contain a whole number/],
      ["vars.l: { contains: x }", /cannot contain text/],
      ["a.queue: { one_of: [1, 2] }", /cannot equal any of these/],
      ["a.name: { type: number }", /never of type `number`/],
      ["a.retry_count: { length: 2 }", /has no length/],
      ['a.name: { length: { gt: "3" } }', /`length` is a whole number and cannot be compared/],
      ["a: 3", /`a` is a job and cannot equal a whole number/],
    ] as const
  ) await finds(`  - expect: { ${line} }\n`, pattern);
});

test("reports an expectation that can never fail", async () => {
  await finds('  - expect: { a.priority: { not: "3" } }\n', /never equals text$/);
});

test("accepts expectations that can be met", async () => {
  await finds(`  - expect:
      a.state: { one_of: [completed, failed], type: text, length: { gt: 3 }, contains: ed }
      a.last_error: { exists: false }
      a.payload: { type: map, length: 1, contains: { x: 1 } }
      a.payload.x: null
      vars.l: { contains: 1, type: list }
      vars.f: 2
      a.priority: { one_of: [1, x], not: 3 }
`);
});

test("knows the type of `result` and of the step's id in its own `expect` and `outputs`", async () => {
  await finds(
    `  - id: b
    enqueue: noop
    outputs: { x: result.nope, y: result.job_id }
    expect: { result.naem: x, result.y: z, b.y: z }
`,
    /^unknown-field at nope/,
    /^unknown-field at naem: .* did you mean `name`/,
  );
  await finds(
    "  - parallel:\n      - id: b\n        get: a\n        expect: { b.state: completed }\n",
  );
  await finds("  - publish: x\n    expect: { result.id: 3 }\n", /^unknown-field at id/);
});

test("`outputs` adds typed fields to the result of a step", async () => {
  const steps = `  - id: o
    enqueue: noop
    outputs: { n: result.priority, p: result.payload }
  - id: m
    for_each: [1]
    enqueue: noop
    outputs: { n: result.priority }
  - id: w
    log: x
    outputs: { x: "3" }
  - wait: o
  - wait: m
  - get: o
  - cancel: o
`;
  await finds(`${steps}  - assert: o.n == 3 && m[0].n == 3 && o.p.x == "y" && o.duration_ms < 3\n`);
  await finds(
    `${steps}  - cancel: m
  - wait: w
  - assert: o.n == "x"
  - assert: o == 3
  - expect: { o.state: complete, o.n: x, m: 3 }
`,
    /^wrong-step at m: the result of step `m` is a list, not a job/,
    /^wrong-step at w: the result of step `w` is a map, not a job or a run$/,
    /^type-mismatch at o.n == "x": .* a whole number and text$/,
    /^type-mismatch at o == 3: .* a job and a whole number$/,
    /^unknown-state at complete/,
    /^type-mismatch at x: `o.n` is a whole number/,
    /^type-mismatch at 3: `m` is a list/,
  );
});

test("knows the types of `it` and `error`", async () => {
  await finds(
    "  - wait: a\n    until: ${{ it.nope == 1 }}\n",
    /^unknown-field at nope: `it` is a job/,
  );
  await finds("  - until: ${{ it.nope == 1 }}\n    wait: r\n", /`it` is a run/);
  await finds(
    "  - get: a\n    retry: { attempts: 2, only_if: error.kin == 'x' }\n",
    /^unknown-field at kin: .* did you mean `kind`/,
  );
});

test("a wait accepts the list that a `for_each` leaves", async () => {
  await finds("  - wait: l\n  - assert: l[0].state == 'completed'\n");
  await finds("  - wait: l\n    until: shipped\n", /^unknown-state at shipped: a job is never/);
  await finds("  - cancel: l\n", /^wrong-step at l: .* a list, not a job use `for_each/);
  await finds("  - assert: l.state == 'x'\n", /^unknown-field at state: a list has no `state`/);
});

test("reports the use of a result after its `for_each`", async () => {
  const steps = "  - for_each: [1]\n    parallel:\n      - id: x\n        enqueue: noop\n";
  await finds(`${steps}  - wait: x\n`, /^used-too-early at x: .* for each item of a `for_each`/);
});

test("reports a state in both `until` and `fail_on`", async () => {
  await finds("  - wait: a\n    fail_on: [completed]\n", /^wrong-value at completed/);
  await finds("  - wait: a\n    until: ${{ it.retry_count > 1 }}\n    fail_on: [completed]\n");
});

test("says how to write an expression in `until`", async () => {
  await finds(
    "  - wait: a\n    until: a.retry_count > 1\n",
    /write an expression in `\$\{\{ \}\}`/,
  );
});

test("`set` must keep the type of a variable", async () => {
  await finds(
    '  - set: { n: x, s: 3, l: "${{ vars.n }}", f: 2 }\n',
    /^wrong-type at x: variable `n` is a whole number, so it cannot be set to text/,
    /^wrong-type at 3/,
    /^wrong-type at "\$\{\{ vars\.n \}\}"/,
  );
  await finds('  - set: { n: "${{ vars.n + 1 }}", s: "a ${{ vars.n }}", l: [], f: 3 }\n');
  await finds("  - set: {}\n", /^wrong-value at \{\}/);
});

test("a wrong step kind does not hide the other errors of a step", async () => {
  const rest = 'payload: { a: "${{ nope }}" }, prioritty: 3, within: 10';
  const others = [/^unknown-name at nope/, /^unknown-key at prioritty/, /^bad-duration at 10/];
  await finds(`  - { enqueue: noop, start: x, input: {}, ${rest} }\n`, /^two-kinds/, ...others);
  await finds(`  - { enqeue: noop, ${rest} }\n`, /^no-kind at enqeue/, ...others);
  await finds(`  - { enqeue: noop, expect: { nope: 1 } }\n`, /^no-kind/, /^unknown-name/);
  await finds(
    `  - { if: nope, payload: { a: "\${{ nope }}" }, within: 10 }\n`,
    /^no-kind at if/,
    /^unknown-name/,
    /^unknown-name/,
    /^bad-duration/,
  );
});

test("does not report uses of a step that has errors itself", async () => {
  await finds(
    "  - id: b\n    enqueue: noop\n    start: x\n  - wait: b\n  - assert: b.state == 'x'\n",
    /^two-kinds/,
  );
  await finds("  - id: c\n    enqueue: ''\n  - wait: c\n", /^wrong-value/);
});

test("steps of `always` count as checks, and need an `if` for conditional steps", async () => {
  const steps = "steps: [{ id: j, enqueue: noop }]\nalways:\n";
  const codes = async (always: string) =>
    (await checkRecipe("r.yaml", steps + always)).map(({ code }) => code);
  assert.deepEqual(await codes('  - assert: "true"\n'), []);
  assert.deepEqual(await codes("  - log: x\n"), ["nothing-checked"]);
  const k = '  - { id: k, enqueue: noop, if: "false" }\n';
  assert.deepEqual(await codes(`${k}  - wait: k\n`), ["unguarded"]);
  assert.deepEqual(await codes(`${k}  - { wait: k, if: has(k.job_id) }\n`), []);
  assert.deepEqual(await codes("  - { id: k, enqueue: noop }\n  - wait: k\n"), []);
});

test("reports a step that uses its own result in `if`", async () => {
  await finds("  - id: b\n    enqueue: noop\n    if: b.state == 'x'\n", /this is the step itself/);
});

test("reports unknown states in the items of a list", async () => {
  await finds(
    `  - assert:
      - l.all(e, e.state != "complete") && l[0].state == "done"
      - l.filter(e, e.state == "fine").all(x, x.state == "good")
    expect: { "l[0].state": { not: finished } }
`,
    /^unknown-state at "complete"/,
    /^unknown-state at "done"/,
    /^unknown-state at "fine"/,
    /^unknown-state at "good"/,
    /^unknown-state at finished/,
  );
  await finds(
    '  - assert: l.all(e, e.state != "failed")\n',
  );
});

test("messages never contain internal type names", async () => {
  await finds("  - assert: vars == 3\n", /`==` cannot compare a map and a whole number$/);
  await finds(
    '  - log: "x ${{ a.?last_error }}"\n',
    /text cannot contain an optional value \(text\)/,
  );
});

test("suggests the CEL operator for words of other languages", async () => {
  await finds("  - assert: a.state == 'completed' and true\n", /use `&&` for and/);
  await finds("  - assert: a.state = 'completed'\n", /use `==` to compare/);
  await finds("  - assert: a.state === 'completed'\n", /use `==` to compare/);
  await finds("  - assert: vars.f == 1\n", /convert one with `int/);
});

test("says that a value which begins with `!` needs quotes", async () => {
  await finds(
    "  - assert: !has(a.last_error)\n",
    /^yaml-tag at !has\(a\.last_error\): .* needs quotes/,
  );
});

test("warns about ambiguous words and numbers in payloads", async () => {
  await finds(
    "  - enqueue: noop\n    payload: { a: yes, b: 12:30, c: 12345678901234567890, d: 0012, e: 'no' }\n",
    /^ambiguous-scalar at yes: .* write "yes" for text, or `true`/,
    /^ambiguous-scalar at 12:30/,
    /^ambiguous-scalar at 12345678901234567890: .* the number 12345678901234567168/,
    /^ambiguous-scalar at 0012/,
  );
  await finds(
    "  - enqueue: noop\n    payload: [0x1F, 1e3, +491701234567, 1.0, 9007199254740993]\n",
    /^ambiguous-scalar at 0x1F: .* the number 31/,
    /^ambiguous-scalar at 1e3: .* the number 1000/,
    /^ambiguous-scalar at \+491701234567/,
    /^ambiguous-scalar at 1\.0: .* the number 1 /,
    /^ambiguous-scalar at 9007199254740993/,
  );
  await finds(
    "  - enqueue: noop\n    payload: [1_000, 2001-12-14, 9007199254740992, -7, 0.5, 0]\n",
  );
  await finds("  - log: .inf\n", /^wrong-value at \.inf/);
});

test("accepts maps as values of a matrix and as the default of an input", async () => {
  const text = `matrix: { m: [{ a: 1 }, { a: 2 }] }
inputs: { i: { type: map, default: { b: [1] } } }
steps: [{ assert: "matrix.m.a == inputs.i.b[0]" }]
`;
  assert.deepEqual(await checkRecipe("r.yaml", text), []);
});

test("knows the types of maps and lists in `vars`", async () => {
  const vars = `vars: { c: { name: Ada, n: 3 }, m: { a: "\${{ 1 }}" }, l: [{ a: 1 }], x: null }
steps:
`;
  const check = async (steps: string) =>
    (await checkRecipe("r.yaml", vars + steps)).map(({ code, message, label = "" }) =>
      `${code}: ${message} ${label}`
    );
  assert.deepEqual(
    await check(`  - set: { c: { n: 1 }, m: { a: x }, l: [], x: 3 }
  - assert: vars.c.n == 3 && vars.c == vars.m && vars.l[0].a == 1 && size(vars.c) == 2
  - expect: { vars.c: { contains: { n: 3 } }, vars.c.n: 3, vars.m: { a: 1 }, vars.x: { a: 1 } }
`),
    [],
  );
  const all = await check(`  - log: Hello \${{ vars.c }} and \${{ vars.m }}
  - assert: vars.c == 3
  - for_each: \${{ vars.c }}
    log: x
  - set: { l: { a: 1 }, c: 3 }
`);
  for (
    const [i, pattern] of [
      /^object-in-text: text cannot contain a map/,
      /^object-in-text: text cannot contain a map/,
      /^type-mismatch: .* a map and a whole number/,
      /^wrong-type: `for_each` must be a list, not a map/,
      /^wrong-type: variable `l` is a list, so it cannot be set to a map/,
      /^wrong-type: variable `c` is a map, so it cannot be set to a whole number/,
    ].entries()
  ) assert.match(all[i]!, pattern);
  assert.equal(all.length, 6);
});

test("checks the types of a used recipe's inputs", async () => {
  const used: Record<string, string> = {
    "used.yaml": `inputs: { t: , l: { type: list }, m: { type: map }, a: { type: any } }
steps: [{ assert: "true" }]
`,
    "matrix.yaml": 'matrix: { a: [1, 2] }\nsteps: [{ assert: "true" }]\n',
  };
  const loader = {
    load: (name: string) => Promise.resolve({ name, text: used[name]! }),
  };
  const check = async (steps: string) =>
    (await readRecipe("r.yaml", `steps:\n${steps}`, loader)).diagnostics;
  const use = (inputs: string) => `  - { use: used.yaml, inputs: { ${inputs} } }\n`;
  assert.deepEqual(await check(use("t: x, l: [1], m: { a: 1 }, a: null")), []);
  const messages = (await check(
    use("t: null, l: { a: 1 }, m: [1], a: 1") + use("t: x, l: [], m: 3, a: 1") +
      "  - use: matrix.yaml\n",
  )).map(({ code, message }) => `${code}: ${message}`);
  assert.deepEqual(messages, [
    "use: input `t` must be text, not null",
    "use: input `l` must be a list, not a map",
    "use: input `m` must be a map, not a list",
    "use: input `m` must be a map, not a whole number",
    "use: cannot use 'matrix.yaml': it has a `matrix`, so it is several cases and not one step",
  ]);
  const [{ message } = { message: "" }] = await checkRecipe(
    "r.yaml",
    'inputs: { m: { type: map, default: 3 } }\nsteps: [{ assert: "true" }]\n',
  );
  assert.equal(message, "the default of `m` must be a map, not a whole number");
});

test("treats the names of Object.prototype's members as ordinary names", async () => {
  await finds(
    "  - id: constructor\n    enqueue: noop\n  - assert: constructor.state == 'pending'\n",
  );
  await finds("  - assert: toString == 1\n", /^unknown-name at toString/);
  await finds("  - id: __proto__\n    enqueue: noop\n", /^bad-id/);
});

test("refuses an expression that is too long", async () => {
  for (
    const text of [
      Array(5000).fill("1==1").join(" && "),
      Array(5000).fill("1").join(" + "),
      `${"(".repeat(5000)}true${")".repeat(5000)}`,
      `size("${"x".repeat(200_000)}") == 1 && `,
      `'${"!".repeat(5000)}true'`,
    ]
  ) {
    const diagnostics = await checkRecipe("r.yaml", `steps:\n  - assert: ${text}\n`);
    assert.deepEqual(diagnostics.map(({ code }) => code), ["bad-expression"]);
  }
});

/** Counts the characters that methods of strings look at or copy until a promise is resolved. */
async function charactersRead(run: () => Promise<void>): Promise<number> {
  type Methods = Record<string, (this: string, ...args: unknown[]) => unknown>;
  const methods = String.prototype as unknown as Methods;
  const names = [
    "charCodeAt",
    "codePointAt",
    "indexOf",
    "slice",
    "split",
    "startsWith",
    "substring",
  ];
  const originals = names.map((name) => [name, methods[name]!] as const);
  let count = 0;
  for (const [name, original] of originals) {
    methods[name] = function (...args) {
      const result = original.apply(this, args);
      const from = typeof args[1] === "number" ? args[1] : 0;
      if (typeof result === "string") count += result.length;
      else if (name === "split") count += this.length;
      else if (name === "indexOf") count += (result === -1 ? this.length : Number(result)) - from;
      else count++;
      return result;
    };
  }
  try {
    await run();
  } finally {
    for (const [name, original] of originals) methods[name] = original;
  }
  return count;
}

test("reads texts with thousands of mistakes in linear time", async () => {
  const texts = {
    "unknown-name": (count: number) => `steps:\n  - log: '${"${{ nope }}".repeat(count)}'\n`,
    "unknown-step": (count: number) => `steps:\n${"  - wait: nothing\n".repeat(count)}`,
  };
  for (const [code, textOf] of Object.entries(texts)) {
    const work = (count: number) =>
      charactersRead(async () => {
        const found = await checkRecipe("r.yaml", textOf(count));
        assert.equal(found.filter((one) => one.code === code).length, count);
      });
    const [few, many] = [await work(200), await work(2_000)];
    // In quadratic time it would be a hundred times as many.
    assert.ok(few > 0 && many < 12 * few, `${code}: ${few}, ${many}`);
  }
});

test("marks an unknown key of a thousand characters", async () => {
  const text = `steps: [{ log: x }]\n${"z".repeat(1000)}: 1\n`;
  const found = (await checkRecipe("r.yaml", text)).filter((one) => one.code === "unknown-key");
  assert.equal(found.length, 1);
});

test("cuts long quotations in messages", async () => {
  const text = `timeout: ${"1".repeat(10_000)}h1\nsteps: [{ assert: "true" }]\n`;
  const [{ message } = { message: "" }] = await checkRecipe("r.yaml", text);
  assert.match(message, /^`timeout`: `1{99}…` is not a duration$/);
});

test("marks control characters and invalid UTF-8", async () => {
  for (
    const [char, message] of [["\0", /U\+0000/], ["\x07", /U\+0007/], [
      "\ufffd",
      /invalid UTF-8/,
    ]] as const
  ) {
    const text = `steps:\n  - log: "a${char}b"\n`;
    const [first, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.match(first!.message, message);
    assert.equal(first!.span.start, text.indexOf(char));
  }
});

test("counts lines and columns after a byte order mark and with CRLF", async () => {
  const text = "\ufeffnmae: x\r\nsteps:\r\n  - log: |\r\n      a ${{ nope }}\r\n";
  const places = (await checkRecipe("r.yaml", text))
    .map(({ source, span }) => ({
      ...source.position(span.start),
      text: source.text.slice(span.start, span.end),
    }));
  assert.deepEqual(places, [
    { line: 1, column: 1, text: "nmae" },
    { line: 4, column: 13, text: "nope" },
  ]);
});

for (
  const [expression, marked, label] of [
    ['a.name.matches("(")', '"("', 'invalid regular expression: missing ")"'],
    ['a.name.matches("a" + "**")', '"a" + "**"', "invalid regular expression: invalid repetition"],
    ['[a.name].exists(x, x.matches("a(?=b)"))', '"a(?=b)"', "RE2 has no lookahead"],
    ['timestamp("2026-13-01T00:00:00Z") < now()', undefined, "is not a time such as"],
    ['timestamp("2026-02-30T00:00:00Z") < now()', undefined, "is not a time such as"],
    ['timestamp("2026-11-28") < now()', undefined, "is not a time such as"],
    ["timestamp(999999999999) < now()", undefined, "999999999999 is not a time in seconds"],
    ['duration("5 minutes") > duration("1s")', 'duration("5 minutes")', "is not a duration"],
    ['duration("5") > duration("1s")', 'duration("5")', "is not a duration such as `10s`"],
    ['int("abc") == 1', 'int("abc")', '"abc" is not a whole number'],
    ['int("") == 1', 'int("")', '"" is not a whole number'],
    ["int(1e30) == 1", "int(1e30)", "1e+30 is not a whole number of 64 bits"],
    ['uint("-1") == 1u', 'uint("-1")', "is not a whole number of at least 0"],
    ['double("x") == 1.0', 'double("x")', '"x" is not a number'],
    ['bool("x")', 'bool("x")', '"x" is neither true nor false'],
    ["[1][5] == 1", "[1][5]", "there is no item 5: the list has 1 item"],
    ["[][0] == 1", "[][0]", "there is no item 0: the list is empty"],
    ["[1, 2][-1] == 1", "[1, 2][-1]", "there is no item -1: a list begins at 0"],
    ["vars.l[-1] == 1", "-1", "a list begins at 0"],
    ["a.payload.x[1.5] == 1", "1.5", "the index of an item is a whole number"],
    ['{"a": 1}["b"] == 1', '{"a": 1}["b"]', "the map has no `b`"],
    ['{"a": 1}[1] == 1', '{"a": 1}[1]', "the map has no `1`"],
    ["1 / 0 == 1", "1 / 0", "division by zero"],
    ["vars.n / 0 == 1", "vars.n / 0", "division by zero"],
    ["vars.n % (2 - 2) == 1", "vars.n % (2 - 2)", "division by zero"],
    ["vars.l.all(x, x / 0 == 1)", "x / 0", "division by zero"],
    ["9223372036854775807 + 1 == 0", "9223372036854775807 + 1", "integer overflow"],
    ['a.name.substring(-1) == ""', "-1", "a text begins at 0"],
    ['"abc".substring(5) == ""', '"abc".substring(5)', "out of range"],
    ['now().getHours("Mars/Base") == 1', '"Mars/Base"', "there is no such time zone"],
    ["random(0) == 0", "random(0)", "random(n) needs an n of at least 1"],
    ["optional.none().value() == 1", "optional.none().value()", "is not present"],
    ['a.state == "failed" || int("x") == 1', 'int("x")', '"x" is not a whole number'],
    ['vars.n == 1 ? int("x") == 1 : true', 'int("x")', '"x" is not a whole number'],
  ] as const
) {
  test(`reports what can never be evaluated in ${expression}`, async () => {
    const text = `${STEPS}  - assert:\n    - |-\n      ${expression}\n`;
    const [diagnostic, ...rest] = await checkRecipe("r.yaml", text);
    assert.deepEqual(rest, []);
    assert.equal(diagnostic?.code, "always-fails");
    const { start, end } = diagnostic.span;
    assert.equal(text.slice(start, end), marked ?? /^\w+\(.*?\)/.exec(expression)![0]);
    assert.ok(diagnostic.label?.includes(label), String(diagnostic.label));
  });
}

for (
  const [expression, label] of [
    ["9223372036854775808 == vars.n", "a whole number has at most 64 bits"],
    ['{"a": 1, "a": 2}.a == 1', "the map has the key `a` twice"],
    ['{"constructor": 1} == {}', "a map literal cannot have the key `constructor`"],
    ['[1, 2]["a"] == 1', "the index of an item is a whole number"],
    ['"abc"[0] == "a"', "text has no items or fields"],
  ] as const
) {
  test(`explains what is wrong with a literal in ${expression}`, async () => {
    const [diagnostic] = await checkRecipe(
      "r.yaml",
      `${STEPS}  - assert:\n    - |-\n      ${expression}\n`,
    );
    assert.equal(diagnostic?.label, label);
  });
}

test("accepts constants that can be evaluated, and failures that are never reached", async () => {
  await finds(`  - assert:
      - -9223372036854775808 < vars.n
      - 'timestamp("2024-02-29T23:59:59.5+01:00") < now() && duration("-1.5h") < duration("0")'
      - int("-12") == -12 && int(1.9) == 1 && double("1e3") == 1000.0 && uint("7") == 7u
      - 'false ? 1 / 0 == 1 : true'
      - '{-1: true}[-1]'
      - vars.n % 2 == 1 && [1, 2][1] == 2 && "b".matches("^[a-c]$")
`);
});

test("checks the constant value of a field as it checks a literal", async () => {
  await finds(
    `  - enqueue: noop
    priority: \${{ -1 }}
    within: \${{ "5 minutes" }}
    retry: { attempts: "\${{ 2 - 2 }}", backoff: "\${{ '10' + 's' }}" }
`,
    /^wrong-value at -1: `priority` must be at least 0$/,
    /^bad-duration at "5 minutes": `within`: `5 minutes` is not a duration$/,
    /^wrong-value at 2 - 2: `attempts` must be at least 1$/,
  );
});

test("suggests the right key for the key of another tool", async () => {
  await finds(
    `  - wait: a
    timeout: 5s
  - enqueue: noop
    data: { x: 1 }
    prio: 3
    retry: 3
  - start: order-payment
    data: { x: 1 }
  - log: \${{ var.n }}
  - assert: vars.s == “x”
  - expect: { vars.n: { less_than: 5 } }
`,
    /^unknown-key at timeout: .* did you mean `within`\?$/,
    /^unknown-key at data: .* did you mean `payload`\?$/,
    /^unknown-key at prio: .* did you mean `priority`\?$/,
    /^wrong-type at 3: `retry` must be a map, not a whole number write `retry: \{ attempts: 3 \}`$/,
    /^unknown-key at data: .* did you mean `input`\?$/,
    /^bad-expression at var: .* did you mean `vars`\?$/,
    /^bad-expression at “: .* use straight quotes for text$/,
    /^bad-matcher at less_than: unknown matcher `less_than` did you mean `lt`\?$/,
  );
  const [schedule] = await checkRecipe("r.yaml", `schedule: "*/5 * * * *"\n${STEPS}`);
  assert.equal(schedule?.label, 'write `schedule: { cron: "*/5 * * * *" }`');
});

test("warns about templates of other tools and typographic quotes, which are only text", async () => {
  await finds(
    `  - enqueue: noop
    payload: { a: "{{ vars.n }}", b: "\${vars.n}", c: "is \${ matrix.x }", d: “text” }
`,
    /^bad-template at "\{\{ vars\.n \}\}": .* is only text write `\$\{\{ vars\.n \}\}` for the value$/,
    /^bad-template at "\$\{vars\.n\}": .* write `\$\{\{ vars\.n \}\}` for the value$/,
    /^bad-template at .*: `\$\{ matrix\.x \}` is only text/,
    /^ambiguous-scalar at “text”: typographic quotes are part of the text write "text"$/,
  );
  await finds(
    `  - enqueue: noop
    payload: { a: "Hello {{ name }}", b: "\${HOME}", c: "$\${{ vars.n }}", d: 'say “hello”' }
`,
  );
});

test("warns about the templates of more tools, and about more typographic quotes", async () => {
  const templates = [
    ..."$(vars.n) #{vars.n} %{vars.n} @{vars.n} <%vars.n%> {%vars.n%} [[vars.n]]".split(" "),
    ...["<%= vars.n %>", "{{- vars.n -}}", "{{{vars.n}}}"],
  ];
  for (const template of templates) {
    const [diagnostic, ...rest] = await checkRecipe(
      "r.yaml",
      `vars: { n: 1 }\nsteps:\n  - log: "a ${template} b"\n  - assert: 1 == 1\n`,
    );
    assert.deepEqual([diagnostic?.code, rest], ["bad-template", []], template);
    assert.equal(diagnostic?.label, "write `${{ vars.n }}` for the value");
  }
  for (const text of ["«a»", "»a«", "‹a›", "‚a‘", "„a“"]) {
    const [diagnostic] = await checkRecipe(
      "r.yaml",
      `steps:\n  - log: ${text}\n  - assert: 1 == 1\n`,
    );
    assert.equal(diagnostic?.label, 'write "a"', text);
  }
  const other = `steps:\n  - log: "$(HOME) #{name} [[x]] <%= y %> $(vars"\n  - assert: 1 == 1\n`;
  assert.deepEqual(await checkRecipe("r.yaml", other), []);
});

test("suggests the recipe's words for those of other tools and languages", async () => {
  const label = async (steps: string, rest = "") => {
    const text =
      `${rest}steps:\n  - { id: a, start: order-payment }\n  - { id: j, enqueue: noop }\n${steps}`;
    const found = await checkRecipe("r.yaml", text);
    return found.find(({ severity }) => severity === "error")?.label;
  };
  const expected: [step: string, label: string][] = [
    ["expect: { j.priority: { '<': 5 } }", "did you mean `lt`?"],
    ["expect: { j.priority: { eq: 5 } }", "did you mean `equals`?"],
    ["expect: { j.priority: { min: 5 } }", "did you mean `gte`?"],
    ["expect: { j.state: { regex: a } }", "did you mean `matches`?"],
    ["expect: { j.state: { in: [a] } }", "did you mean `one_of`?"],
    ["expect: { a.events: { size: 1 } }", "did you mean `length`?"],
    ["assert: a.steps.length == 1", "use `size(…)` for the number of items"],
    ["assert: len(a.steps) == 1", "did you mean `size`?"],
    ["assert: not has(a.output)", "use `!` for not"],
    ["log: ${{ now }}", "write `now()` for the time"],
    ["log: ${{ steps.a.state }}", "the result of a step has the step's id as its name"],
    ["log: ${{ process.env.A }}", "did you mean `env`?"],
    ["job: noop", "did you mean `enqueue`?"],
    ["workflow: a", "did you mean `start`?"],
    ["emit: a", "did you mean `publish`?"],
    ["echo: a", "did you mean `log`?"],
    ["{ wait: a, status: completed }", "did you mean `until`?"],
    ["{ enqueue: noop, retry: { times: 3 } }", "did you mean `attempts`?"],
    ["{ enqueue: noop, retry: { attempts: 3, delay: 1s } }", "did you mean `backoff`?"],
  ];
  for (const [step, wanted] of expected) assert.equal(await label(`  - ${step}\n`), wanted, step);
  assert.equal(await label("", 'cron: "* * * * *"\n'), "did you mean `schedule`?");
  assert.equal(await label("", "schedule: 5m\n"), undefined);
  // A payload can have such keys.
  const data = "  - expect: { j.payload: { eq: 5 } }\n  - expect: { j.payload: { count: 3 } }\n";
  assert.equal(await label(data), undefined);
});

test("asks about a key that is indented too far", async () => {
  const text = "steps:\n  - start: order-payment\n      input: { a: 1 }\n";
  const [diagnostic, ...rest] = await checkRecipe("r.yaml", text);
  assert.deepEqual(rest, []);
  assert.equal(diagnostic?.label, "is `input` on the next line indented too far?");
});
