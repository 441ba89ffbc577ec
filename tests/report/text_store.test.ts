// Texts that are kept compressed until a report is written.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TextStore } from "../../runner/report/text_store.ts";

test("returns each text as it was added, in any order and more than once", () => {
  const short = fc.string({ unit: "binary", maxLength: 40 });
  const long = fc.tuple(short, fc.integer({ min: 0, max: 9_000 }))
    .map(([text, times]) => text.repeat(times));
  fc.assert(
    fc.property(fc.array(fc.oneof(short, long), { maxLength: 40 }), fc.nat(), (texts, seed) => {
      const store = new TextStore();
      const numbers = texts.map((text) => store.add(text));
      const order = texts.map((_, i) => (i * 7 + seed) % texts.length);
      for (const i of [...order, ...order]) assert.equal(store.get(numbers[i]!), texts[i]);
      const listed = store.texts(numbers);
      assert.deepEqual([...listed], texts);
      assert.deepEqual([...listed], texts);
    }),
    { numRuns: 40 },
  );
});

test("a text that was read stays the same when others are added", () => {
  const store = new TextStore();
  const first = store.add("a".repeat(200_000));
  assert.equal(store.get(first).length, 200_000);
  const second = store.add("b".repeat(200_000));
  assert.equal(store.get(first), "a".repeat(200_000));
  assert.equal(store.get(second), "b".repeat(200_000));
  assert.equal(store.get(store.add("\ufeff😀")), "\ufeff😀");
});
