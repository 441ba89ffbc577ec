import { required } from "../language/field.ts";
import { json } from "../language/value_fields.ts";
import { stepKind, templateLabel } from "./kind.ts";
import { NO_RESULT } from "./result_types.ts";

/** Prints a line. */
export const log = stepKind({
  name: "log",
  title: "a log step",
  description: "Prints text, or a value as JSON.",
  usage: "`log: VALUE`",
  fields: { log: required(json("The text or value to print.")) },
  writes: false,
  result: NO_RESULT,
  label: (step) => `log ${templateLabel(step.log)}`,
  run(step, context) {
    const value = context.resolve(step.log);
    context.log(typeof value === "string" ? value : JSON.stringify(value) ?? "");
    return Promise.resolve({});
  },
});
