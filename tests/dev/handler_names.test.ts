import assert from "node:assert/strict";
import { test } from "node:test";
import { namesIn } from "../../dev/_handler_names.ts";

/** The checkpoints in a source, or `undefined` if it may have others. */
function checkpoints(source: string): string[] | undefined {
  const names = namesIn(source);
  return names && [...names.checkpoints].filter((name) => !name.startsWith("compensate:"));
}

test("finds the names in every form of function", () => {
  const body = `await wf.step("a", () => {});`;
  for (
    const source of [
      `async (wf) => { ${body} }`,
      `async wf => { ${body} }`,
      `async function (wf) { ${body} }`,
      `async function order(wf, input) { ${body} }`,
      `async order(wf) { ${body} }`,
      `(wf, { id }) => wf . step ( "a" , f)`,
    ]
  ) assert.deepEqual(checkpoints(source), ["a"], source);
});

test("a function without parameters has no names", () => {
  for (const source of ["() => {}", "async () => f()", "function f() {}"]) {
    assert.deepEqual(checkpoints(source), [], source);
  }
});

test("finds the checkpoints of every method, and the events", () => {
  const names = namesIn(`async (wf) => {
    await wf.step("s", f, { compensate: f });
    await wf.parallel("p", []);
    wf.compensate("c", f);
    await wf.sleep('z', "1s");
    await wf.waitForEvent(\`e\`, "1s");
    await wf.waitForAll(["f", "g"], "1s");
    await wf.waitForAny(["h", "i",], "1s");
    await wf.waitForMatch("j", "1s", () => true);
    await wf.runChild("k");
    await wf.spawnChild("l");
    await wf.fanOut("m", []);
    wf.log(wf.name + wf.run_id, wf.signal);
  }`)!;
  assert.deepEqual([...names.events], ["e", "f", "g", "h", "i", "j"]);
  const expected = "s compensate:s parallel:p compensate:c sleep:z wait:e waitall:f waitall:g " +
    "waitall:f,g waitany:h,i waitmatch:j child:k spawn:l fanout:m child:m";
  assert.equal([...names.checkpoints].join(" "), expected);
});

test("ignores comments, texts, patterns and properties of the same name", () => {
  assert.deepEqual(
    checkpoints(`(wf) => {
      // wf(x) wf.step(name)
      /* pass(wf) */
      const s = "pass(wf)", t = \`pass(wf)\`, r = /["'wf(]/.test(s) / 2;
      other.wf.run(other.wf);
      return wf.step("a\\u0062", f);
    }`),
    ["ab"],
  );
});

test("says nothing where a name is computed or the context is passed on", () => {
  for (
    const source of [
      `(wf) => wf.step(name, f)`,
      `(wf) => wf.step("a" + b, f)`,
      `(wf) => wf.step(\`a\${b}\`, f)`,
      `(wf) => wf.waitForAny([a, "b"], "1s")`,
      `(wf) => wf.waitForAny(names, "1s")`,
      `(wf) => helper(wf)`,
      `(wf) => { const { step } = wf; }`,
      `(wf) => wf["step"]("a", f)`,
      `(wf) => wf.unheardOf("a")`,
      `(wf) => \`\${helper(wf)}\``,
      `({ step }) => step("a", f)`,
      `(...all) => handler(...all)`,
      `function () { return handler(...arguments); }`,
      `function order() { [native code] }`,
      `class A {}`,
    ]
  ) {
    assert.equal(checkpoints(source), undefined, source);
  }
});
