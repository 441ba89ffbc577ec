import type { Expression } from "../expression/expression.ts";
import { custom, oneOrMore } from "../language/field.ts";
import { condition } from "../language/value_fields.ts";
import { assertAll } from "./assertions.ts";
import { expectField } from "./expect_field.ts";
import { stepKind } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

const conditions = oneOrMore(condition("Expressions that must all be true."));

/** Asserts that expressions hold. Its `expect` is the option that every step has. */
export const assert = stepKind({
  name: "assert",
  title: "an assert step",
  description: "Asserts that expressions are true, or with `expect` that values are as expected.",
  usage: "`assert: CONDITION`",
  fields: {
    assert: custom<Expression[]>(conditions.description, conditions.json, conditions.read),
    expect: expectField,
  },
  writes: false,
  result: NO_RESULT,
  checks: true,
  impliedBy: "expect",
  label({ assert = [], expect = [] }) {
    const count = assert.length + expect.length;
    if (count !== 1) return `assert ${count} things`;
    return assert[0] ? `assert ${assert[0].text}` : `expect ${expect[0]!.subject.text}`;
  },
  async run({ assert = [], expect = [] }, context) {
    await assertAll(assert, expect, context);
    return {};
  },
});
