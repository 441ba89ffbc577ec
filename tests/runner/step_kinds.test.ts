import assert from "node:assert/strict";
import { test } from "node:test";
import { STEP_KINDS } from "../../runner/steps/step_kinds.ts";
import { STEP_OPTIONS } from "../../runner/recipe/step_options.ts";

for (const [name, kind] of Object.entries(STEP_KINDS)) {
  const { title, usage, fields, impliedBy } = kind;

  test(`${name}: its first key, title and usage contain its name`, () => {
    assert.equal(kind.name, name);
    assert.equal(Object.keys(fields)[0], name);
    assert.match(title, new RegExp(`^an? ${name} step$`));
    assert.match(usage, new RegExp(`^\`${name}\\b`));
  });

  test(`${name}: its keys do not clash with the options that all steps have`, () => {
    const shared = Object.keys(fields).filter((key) => Object.hasOwn(STEP_OPTIONS, key));
    assert.deepEqual(shared, impliedBy === undefined ? [] : [impliedBy]);
  });
}
