import type { Expression } from "../expression/expression.ts";
import type { Template } from "../expression/template.ts";
import {
  custom,
  type Fields,
  mapOf,
  readFields,
  record,
  recordJson,
  required,
} from "../language/field.ts";
import type { Retry } from "../language/model.ts";
import { readExpression, readTemplate } from "../language/read_template.ts";
import { isFieldName, isIdentifier } from "../language/scope.ts";
import { condition, duration, fixedText, flag, integer, text } from "../language/value_fields.ts";
import { expectField } from "../steps/expect_field.ts";

const idText = fixedText("The name under which later steps find the step's result.");

const retryRecord = record(
  "How often and when the step is retried after a failure.",
  {
    attempts: required(
      integer("The maximum number of attempts, including the first.", {
        minimum: 1,
        maximum: 1000,
      }),
    ),
    backoff: duration(
      "The pause before the second attempt. It doubles after each attempt; default: 200ms.",
    ),
    only_if: custom<Expression>(
      "Which failures are retried: an expression over `error` with `kind`, `message` and `code`.",
      { type: ["string", "boolean"] },
      (node, context, what) =>
        context.within(
          { locals: { ...context.scope.locals, error: "ErrorResult" } },
          () => readExpression(node, context, what, "condition"),
        ),
    ),
    repeat_writes: flag("Whether a request that may have reached the server is sent again."),
  },
  "`retry`",
);

const itemsField = custom<Template>(
  "The items: a list, or an expression for one.",
  { anyOf: [{ type: "array" }, { type: "string" }] },
  (node, context, what) => {
    if (node.kind === "list") return readTemplate(node, context, what);
    const expression = readExpression(node, context, what, "list");
    return expression && { kind: "expression" as const, expression };
  },
);

const FOR_EACH_FIELDS = {
  items: required(itemsField),
  parallel: integer("For how many items the step runs at the same time.", {
    minimum: 1,
    maximum: 1000,
  }),
};

/** The value of `for_each`. */
export interface ForEach {
  /** The items. */
  items: Template;
  /** For how many of them the step runs at the same time; for one if absent. */
  parallel?: Template;
}

/** The keys that every step can have besides those of its kind. */
export const STEP_OPTIONS = {
  id: custom<string>(
    idText.description,
    { type: "string", pattern: "^[A-Za-z_][A-Za-z0-9_]*$" },
    (node, context, what) => {
      const id = idText.read(node, context, what);
      if (id === undefined || isIdentifier(id)) return id;
      const fixed = id.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(\d)/, "_$1");
      return void context.diagnostics.error("bad-id", node, `\`${id}\` cannot be used as an id`, {
        label: isIdentifier(fixed) ? `write \`${fixed}\`` : "expressions reserve this name",
      });
    },
  ),
  name: text("The line that reports show for the step."),
  if: condition("Whether the step runs."),
  within: duration("How long the step may take; default: until the outer limit."),
  retry: custom<Retry>(retryRecord.description, retryRecord.json, (node, context, what) => {
    if (node.kind === "scalar" && typeof node.value === "number") {
      const hint = `write \`retry: { attempts: ${node.raw} }\``;
      return void context.wrongType(node, what, "a map", hint);
    }
    const read = retryRecord.read(node, context, what);
    return read && {
      attempts: read.attempts,
      backoff: read.backoff,
      onlyIf: read.only_if,
      repeatWrites: read.repeat_writes ?? false,
    };
  }),
  for_each: custom<ForEach>(
    "A list. The step runs once for each item, one after the other or `{items, parallel: N}` at a " +
      "time, and sees it as `item`.",
    { anyOf: [itemsField.json, recordJson(FOR_EACH_FIELDS)] },
    (node, context, what) => {
      if (node.kind === "map") {
        const { items, parallel } = readFields(node, FOR_EACH_FIELDS, context, what);
        return items && { items, ...(parallel === undefined ? {} : { parallel }) };
      }
      const items = itemsField.read(node, context, what);
      return items && { items };
    },
  ),
  expect: expectField,
  outputs: mapOf<Expression>(
    custom(
      "Fields to add to the step's result: expressions over `result`.",
      { type: ["string", "number", "boolean"] },
      (node, context, what) => readExpression(node, context, what, "any"),
    ),
    isFieldName,
  ),
  soft: flag("Whether the recipe goes on after the step has failed. Reports show the failure."),
} satisfies Fields;
