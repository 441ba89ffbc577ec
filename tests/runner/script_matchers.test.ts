import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "./_script.ts";

test("refuses promises, functions and arguments of the wrong type", async () => {
  for (
    const [line, message] of [
      ["t.assert(Promise.resolve(false))", "the value is a promise: await it"],
      ["t.assert(() => false)", "the value is a function: call it"],
      ["t.expect(Promise.resolve(1)).toBeDefined()", "the value is a promise: await it"],
      [
        "t.expect(Promise.resolve(1)).not.toEqual(1)",
        "the value is a promise: await it",
      ],
      ["t.expect('b').toMatch('b')", "`toMatch` takes a regular expression"],
      ["t.expect('b').toMatch(/a(?=b)/)", "`toMatch` cannot use /a(?=b)/: RE2 has no lookahead"],
      ["t.expect([1, 2]).toMatchObject([1])", "`toMatchObject` takes a map"],
    ] as const
  ) {
    assert.equal(await failureOf(line), message);
  }
});

test("a negated matcher fails for a value of the wrong kind", async () => {
  for (
    const [line, message] of [
      [
        "t.expect(undefined).not.toBeGreaterThan(5)",
        "expected an absent value to be a number and not to be greater than 5",
      ],
      [
        "t.expect('9').not.toBeLessThan(5)",
        'expected "9" (text) to be a number and not to be less than 5',
      ],
      [
        "t.expect(undefined).not.toContain('a')",
        'expected an absent value to be text or a list and not to contain "a"',
      ],
      ["t.expect('a').not.toContain(1)", 'expected "a" (text) to be a list and not to contain 1'],
      ["t.expect(1).not.toMatch(/a/)", "expected 1 (whole number) to be text and not to match /a/"],
      [
        "t.expect(1).not.toHaveLength(2)",
        "expected 1 (whole number) to be text, a list or a map and not to have length 2",
      ],
      [
        "t.expect(undefined).not.toEqual(2)",
        "expected an absent value to be defined and not to equal 2",
      ],
      [
        "t.expect(null).not.toMatchObject({})",
        "expected null (null) to be a map and not to have {}",
      ],
      [
        "t.expect({}).not.toContainStep('a')",
        "expected {} (map) to be a timeline and not to contain step a",
      ],
      ["t.expect(7).not.toBeLessThan(5)", undefined],
      ["t.expect('ab').not.toContain('c')", undefined],
    ] as const
  ) {
    assert.equal(await failureOf(line), message);
  }
});

test("`toEqual` compares the contents of objects such as dates and sets", async () => {
  for (
    const [a, b] of [
      ["new Date(0)", "new Date(1)"],
      ["new Map([[1, 2]])", "new Map([[1, 3]])"],
      ["new Set([1])", "new Set([2])"],
      ["new Error('a')", "new Error('b')"],
      ["/a/", "/b/"],
      ["new URL('http://a.example')", "new URL('http://b.example')"],
      ["new Uint8Array([1])", "new Uint8Array([2])"],
      ["1n", "2n"],
      ["new Date(0)", "{}"],
    ] as const
  ) {
    assert.equal(await failureOf(`t.expect({ a: ${a} }).toEqual({ a: ${a} })`), undefined, a);
    assert.ok(await failureOf(`t.expect({ a: ${a} }).toEqual({ a: ${b} })`), a);
  }
  assert.equal(await failureOf("t.expect(new Set([1, 2])).toEqual(new Set([2, 1]))"), undefined);
  const circle = "const a = { n: 1n }, b = { n: 1n }; a.me = a; b.me = b;";
  assert.equal(await failureOf(`${circle} t.expect(a).toEqual(b)`), undefined);
  assert.equal(
    await failureOf(`${circle} b.n = 2n; t.expect(a).toEqual(b)`),
    'expected {"n":"1n","me":"[circular]"} (map) to equal {"n":"2n","me":"[circular]"}\n' +
      '- n: "2n"\n+ n: "1n"',
  );
  assert.equal(
    await failureOf("t.expect([Promise.resolve(1)]).toEqual([Promise.resolve(2)])"),
    "a Promise cannot be compared: it has no visible contents",
  );
});

test("counts characters, ignores the position of a pattern, and shows a diff", async () => {
  assert.equal(
    await failureOf("const p = /b/g; t.expect('ab').toMatch(p); t.expect('ab').toMatch(p)"),
    undefined,
  );
  assert.equal(await failureOf("t.expect('😀').toHaveLength(1)"), undefined);
  assert.equal(
    await failureOf("t.expect({ a: 1, b: 2, c: 3 }).toMatchObject({ a: 1, b: 4 })"),
    'expected {"a":1,"b":2,"c":3} (map) to have {"a":1,"b":4}\n- b: 4\n+ b: 2',
  );
  assert.equal(
    await failureOf(
      'const job = await t.enqueue("noop"); t.expect(job).toMatchObject({ name: "noop" })',
    ),
    undefined,
  );
});

test("`toMatch` takes no longer with nested repetitions, and rejects a text too long for its pattern", async () => {
  const text = "'a'.repeat(50) + '!'";
  assert.equal(await failureOf(`t.expect(${text}).not.toMatch(/^(a+)+$/)`), undefined);
  assert.equal(
    await failureOf("t.expect('ab'.repeat(60_000)).toMatch(/a[ab]{999}[^ab]/)"),
    "it takes more than 10,000,000 steps",
  );
});
