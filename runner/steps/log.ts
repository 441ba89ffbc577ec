import { required } from "../language/field.ts";
import { json } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";

/** Prints a line. */
export const log = stepKind({
  name: "log",
  title: "a log step",
  description: "Prints a text, or a value as JSON.",
  fields: { log: required(json("What is printed.")) },
  label: (step) => `log ${templateLabel(step.log)}`,
  run(step, context) {
    const value = context.resolve(step.log);
    context.log(typeof value === "string" ? value : JSON.stringify(value) ?? "");
    return Promise.resolve({});
  },
});
