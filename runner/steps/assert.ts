import type { Expression } from "../expression/expression.ts";
import { custom, oneOrMore } from "../language/field.ts";
import { condition } from "../language/value_fields.ts";
import { assertAll } from "../engine/assertions.ts";
import { expectField } from "./_expect.ts";
import { stepKind } from "./kind.ts";

const conditions = oneOrMore(condition("Expressions that must all be true."));

/** Asserts; its `expect` is the one that every step can have. */
export const assert = stepKind({
  name: "assert",
  title: "an assert step",
  description: "Asserts that expressions are true, or with `expect` that values are as expected.",
  checks: true,
  fields: {
    assert: custom<Expression[]>(conditions.description, conditions.json, conditions.read),
    expect: expectField,
  },
  label(step) {
    const count = (step.assert?.length ?? 0) + (step.expect?.length ?? 0);
    if (step.assert?.length === 1 && count === 1) return `assert ${step.assert[0]!.text}`;
    return count === 1 ? `expect ${step.expect![0]!.subject.text}` : `assert ${count} things`;
  },
  async run(step, context) {
    await assertAll(step.assert ?? [], step.expect ?? [], context);
    return {};
  },
});
