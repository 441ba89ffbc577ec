import { ANY_MAP, type CelType, describeType, keptType, typeOfValue } from "../expression/types.ts";
import { readFields } from "../language/field.ts";
import type { Input, Output } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { readExpression } from "../language/read_template.ts";
import { isFieldName } from "../language/scope.ts";
import { choice, fixedText, json } from "../language/value_fields.ts";

const TYPES: Record<string, CelType> = {
  text: "string",
  number: "double",
  integer: "int",
  boolean: "bool",
  list: "list<dyn>",
  map: ANY_MAP,
  any: "dyn",
};

/** The values that `type` of an input can have. */
export const INPUT_TYPES: readonly string[] = Object.keys(TYPES);

/** The keys of an input. */
export const INPUT_FIELDS = {
  type: choice("The type of the value; `text` by default.", INPUT_TYPES),
  default: json("The value if none is passed. Without it the input is required."),
  description: fixedText("What the input is for."),
};

/** Reads `inputs`. */
export function readInputs(node: Node, context: ParseContext): Input[] {
  if (node.kind !== "map") {
    context.wrongType(node, "`inputs`", "a map");
    return [];
  }
  if (context.hasTooMany(node, "`inputs`")) return [];
  return node.entries.map(({ key, keySpan, value }) => {
    if (!isFieldName(key)) {
      context.diagnostics.error("bad-id", keySpan, `\`${key}\` cannot be used as an input's name`);
    }
    const isEmpty = value.kind === "scalar" && value.value === null;
    if (!isEmpty && value.kind !== "map") context.wrongType(value, `\`${key}\``, "a map");
    const read = value.kind === "map" ? readFields(value, INPUT_FIELDS, context, "an input") : {};
    const type = TYPES[read.type ?? "text"]!;
    const fallback = read.default;
    if (fallback && fallback.kind !== "literal") {
      context.diagnostics.error(
        "wrong-value",
        value,
        "the default of an input cannot contain ${{ }}",
      );
    } else if (fallback && !fits(fallback.value, type)) {
      const is = fallback.value === null ? "null" : describeType(typeOfValue(fallback.value));
      const at = value.kind === "map"
        ? value.entries.find((e) => e.key === "default")!.value
        : value;
      context.diagnostics.error(
        "wrong-type",
        at,
        `the default of \`${key}\` must be ${describeType(type)}, not ${is}`,
      );
    }
    return {
      name: key,
      span: keySpan,
      type,
      default: fallback?.kind === "literal" ? fallback.value : undefined,
      required: fallback === undefined,
    };
  });
}

/**
 * Reads `outputs`, whose expressions can use the results of all steps.
 * @param order The position after the last step.
 */
export function readOutputs(node: Node, context: ParseContext, order: number): Output[] {
  if (node.kind !== "map") {
    context.wrongType(node, "`outputs`", "a map of expressions");
    return [];
  }
  if (context.hasTooMany(node, "`outputs`")) return [];
  return node.entries.flatMap(({ key, keySpan, value }) => {
    if (!isFieldName(key)) {
      context.diagnostics.error("bad-id", keySpan, `\`${key}\` cannot be used as an output's name`);
    }
    const output: Partial<Output> = { name: key, span: keySpan, type: "dyn" };
    const expression = context.within(
      { order },
      () =>
        readExpression(value, context, `output \`${key}\``, "any", {
          onType: (type) => void (output.type = keptType(type)),
        }),
    );
    return expression ? [Object.assign(output, { expression }) as Output] : [];
  });
}

function fits(value: unknown, type: CelType): boolean {
  const given = typeOfValue(value);
  return type === "dyn" || given === type || (type === "double" && given === "int") ||
    (type === "list<dyn>" && given.startsWith("list"));
}
