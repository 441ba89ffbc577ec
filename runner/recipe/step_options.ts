import type { Expression } from "../expression/expression.ts";
import { expectField } from "../steps/expect_field.ts";
import { custom, type Fields, mapOf, record, required } from "../language/field.ts";
import { condition, duration, fixedText, flag, integer, text } from "../language/value_fields.ts";
import { isFieldName, isIdentifier } from "../language/scope.ts";
import type { Retry } from "../language/model.ts";
import { readExpression, readTemplate } from "../language/read_template.ts";

const idText = fixedText("The name of what the step leaves.");

const retryRecord = record(
  "How the step is tried again when it fails.",
  {
    attempts: required(integer("How often it is tried in all.", { minimum: 1, maximum: 1000 })),
    backoff: duration(
      "The pause before the second attempt; it doubles with each. 200ms by default.",
    ),
    only_if: custom<Expression>(
      "Whether a failure is worth another attempt: an expression over `error` with `kind`, `message` and `code`.",
      { type: ["string", "boolean"] },
      (node, context, what) =>
        context.within(
          { locals: { ...context.scope.locals, error: "ErrorResult" } },
          () => readExpression(node, context, what, "condition"),
        ),
    ),
    repeat_writes: flag("Whether a request that may have arrived is sent again."),
  },
  "`retry`",
);

/** The keys that every step can have besides those of its kind. */
export const STEP_OPTIONS = {
  id: custom<string>(idText.description, {
    type: "string",
    pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
  }, (node, context, what) => {
    const id = idText.read(node, context, what);
    if (id === undefined || isIdentifier(id)) return id;
    const fixed = id.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^(\d)/, "_$1");
    return void context.diagnostics.error("bad-id", node, `\`${id}\` cannot be used as an id`, {
      label: isIdentifier(fixed) ? `write \`${fixed}\`` : "expressions use this name themselves",
    });
  }),
  name: text("The step's line in reports."),
  if: condition("Whether the step runs."),
  within: duration("How long the step may take; what is around it sets the limit otherwise."),
  retry: custom<Retry>(retryRecord.description, retryRecord.json, (node, context, what) => {
    const read = retryRecord.read(node, context, what);
    return read && {
      attempts: read.attempts,
      backoff: read.backoff,
      onlyIf: read.only_if,
      repeatWrites: read.repeat_writes ?? false,
    };
  }),
  for_each: custom(
    "The items the step runs for, one after the other; `item` is the current one.",
    { anyOf: [{ type: "array" }, { type: "string" }] },
    (node, context, what) => {
      if (node.kind === "list") return readTemplate(node, context, what);
      const expression = readExpression(node, context, what, "list");
      return expression && { kind: "expression" as const, expression };
    },
  ),
  expect: expectField,
  outputs: mapOf<Expression>(
    custom(
      "Fields added to what the step leaves: expressions over `result`.",
      { type: ["string", "number", "boolean"] },
      (node, context, what) => readExpression(node, context, what, "any"),
    ),
    isFieldName,
  ),
  soft: flag("Whether the recipe goes on when the step fails; the failure is reported."),
} satisfies Fields;
