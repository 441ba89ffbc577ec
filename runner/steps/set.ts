import type { Template } from "../expression/template.ts";
import { json, mapOf, required } from "../recipe/field.ts";
import { stepKind } from "./kind.ts";

/** Gives variables new values. */
export const set = stepKind({
  name: "set",
  title: "a set step",
  description: "Gives variables that `vars` declares new values.",
  fields: { set: required(mapOf<Template>(json("The new value of each variable."))) },
  check(_step, { reading, at }) {
    const node = at("set");
    if (node?.kind !== "map") return;
    for (const { key, keySpan } of node.entries) {
      reading.assignments.push({ name: key, span: keySpan });
    }
  },
  label: (step) => `set ${[...step.set.keys()].join(", ")}`,
  run(step, context) {
    const values = [...step.set].map(([name, template]) =>
      [name, context.resolve(template)] as const
    );
    for (const [name, value] of values) context.setVariable(name, value);
    return Promise.resolve({});
  },
});
