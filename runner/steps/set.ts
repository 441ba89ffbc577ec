import type { Template } from "../expression/template.ts";
import { custom, mapOf, required } from "../language/field.ts";
import { json } from "../language/value_fields.ts";
import { stepKind } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

const values = mapOf<Template>(json("The new value of each variable."));

/** Sets variables. */
export const set = stepKind({
  name: "set",
  title: "a set step",
  description: "Sets variables that `vars` declares.",
  usage: "`set: {NAME: VALUE}`",
  fields: {
    set: required(
      custom(values.description, () => ({ ...values.json, minProperties: 1 }), values.read),
    ),
  },
  writes: false,
  result: NO_RESULT,
  variablesKey: "set",
  check(step, { context, at }) {
    const node = at("set");
    if (node?.kind !== "map") return;
    if (node.entries.length === 0) {
      context.diagnostics.error("wrong-value", node, "`set` must not be empty");
    }
    for (const { key, keySpan, value } of node.entries) {
      context.addAssignment(key, keySpan, value, step.set.get(key));
    }
  },
  label: (step) => `set ${[...step.set.keys()].join(", ")}`,
  run(step, context) {
    // All values are computed before the first variable changes.
    const values = [...step.set].map(([name, template]) =>
      [name, context.resolve(template)] as const
    );
    for (const [name, value] of values) context.setVariable(name, value);
    return Promise.resolve({});
  },
});
