import type { Matcher } from "../expression/matcher.ts";
import {
  type CelType,
  describeType,
  isRecordType,
  itemType,
  typeOfValue,
} from "../expression/types.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";

/** What values can be told apart by; `any` where nothing is known. */
type Shape = "text" | "number" | "boolean" | "list" | "map" | "null" | "any";

/** The node of a matcher's argument; the whole value where it is compared with as it is. */
export function nodeOf(name: string, node: Node): Node {
  if (node.kind !== "map") return node;
  return node.entries.find(({ key }) => key === name)?.value ?? node;
}

/** Finds a matcher that can never be met, or never fail: a text expected to be a number. */
export function checkMatcher(
  type: CelType,
  path: string,
  { name, argument }: Matcher,
  node: Node,
  context: ParseContext,
): void {
  const shape = shapeOf(type);
  if (shape === "any") return;
  const at = nodeOf(name, node);
  const wrong = (why: string, label?: string) =>
    context.diagnostics.error(
      "type-mismatch",
      at,
      `\`${path}\` is ${describeType(type)}${why.startsWith("not ") ? "," : " and"} ${why}`,
      label === undefined ? {} : { label },
    );
  if (name === "length") {
    if (shape === "number" || shape === "boolean") wrong("has no length");
    else if (Array.isArray(argument)) {
      for (const inner of argument) checkMatcher("int", "length", inner, at, context);
    }
    return;
  }
  if (Array.isArray(argument) || argument.kind === "expression") return;
  const value = argument.kind === "literal" ? argument.value : "";
  const given = argument.kind === "list" || argument.kind === "map"
    ? argument.kind
    : valueShape(value);
  const named = argument.kind === "literal" ? describeValue(value) : "text";
  switch (name) {
    case "equals":
    case "not":
      if (given === shape) return;
      if (given === "null") {
        return wrong("never null", "`{exists: false}` asks whether it is absent");
      }
      return wrong(name === "equals" ? `cannot be equal to ${named}` : `is never ${named}`);
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return given === shape ? undefined : wrong(`cannot be compared with ${named}`);
    case "matches":
      return shape === "text" ? undefined : wrong("not text");
    case "contains":
      if (shape === "number" || shape === "boolean") return wrong("contains nothing");
      if (shape === "text" && given !== "text") return wrong(`cannot contain ${named}`);
      if (shape === "list") {
        const item = shapeOf(itemType(type) ?? "dyn");
        if (item !== "any" && item !== given) wrong(`cannot contain ${named}`);
      }
      return;
    case "one_of":
      if (Array.isArray(value) && value.every((one) => valueShape(one) !== shape)) {
        wrong("cannot be equal to any of these");
      }
      return;
    case "type":
      return value === shape ? undefined : wrong(`never of type \`${value}\``);
    case "exists":
      return;
  }
}

function shapeOf(type: CelType): Shape {
  if (type === "int" || type === "double" || type === "uint") return "number";
  if (type === "string") return "text";
  if (type === "bool") return "boolean";
  if (type.startsWith("list")) return "list";
  return type.startsWith("map") || isRecordType(type) ? "map" : "any";
}

function valueShape(value: unknown): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : shapeOf(typeOfValue(value));
}

function describeValue(value: unknown): string {
  if (value === null) return "nothing";
  return typeof value === "object" && !Array.isArray(value)
    ? "a map"
    : describeType(typeOfValue(value));
}
