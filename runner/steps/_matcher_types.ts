import type { Matcher } from "../expression/matcher.ts";
import {
  type CelType,
  describeType,
  isRecordType,
  itemType,
  typeOfValue,
} from "../expression/types.ts";
import type { Node } from "../language/node.ts";
import { matcherMeantBy } from "../language/other_names.ts";
import type { ParseContext } from "../language/parse_context.ts";

/** A type as matchers distinguish it; `any` if it is not known. */
type Shape = "text" | "number" | "boolean" | "list" | "map" | "null" | "any";

/** Returns the node of a matcher's argument: the whole value for a plain comparison. */
export function argumentNode(name: string, node: Node): Node {
  if (node.kind !== "map") return node;
  return node.entries.find(({ key }) => key === name)?.value ?? node;
}

/**
 * Reports a matcher that can never be met, or can never fail, because of the type of the value. For
 * example, a number never equals text.
 */
export function checkMatcher(
  type: CelType,
  path: string,
  { name, argument }: Matcher,
  node: Node,
  context: ParseContext,
): void {
  const shape = shapeOf(type);
  if (shape === "any") return;
  const at = argumentNode(name, node);
  const report = (problem: string, label?: string) =>
    context.diagnostics.error(
      "type-mismatch",
      at,
      `\`${path}\` is ${describeType(type)}${problem}`,
      label === undefined ? {} : { label },
    );
  if (name === "length") {
    if (shape === "number" || shape === "boolean") report(" and has no length");
    else if (Array.isArray(argument)) {
      for (const inner of argument) checkMatcher("int", "length", inner, at, context);
    }
    return;
  }
  if (Array.isArray(argument) || argument.kind === "expression") return;
  const value = argument.kind === "literal" ? argument.value : "";
  const given = argument.kind === "list" || argument.kind === "map"
    ? argument.kind
    : shapeOfValue(value);
  const title = argument.kind === "literal"
    ? describeValue(value)
    : given === "list" || given === "map"
    ? `a ${given}`
    : "text";
  switch (name) {
    case "equals":
    case "not":
      if (given === shape) return;
      if (given === "null") {
        return report(" and never null", "for an absent value use `{exists: false}`");
      }
      return report(
        name === "equals" ? ` and cannot equal ${title}` : ` and never equals ${title}`,
        at.kind === "map" && at.entries.length === 1
          ? matcherMeantBy(at.entries[0]!.key)
          : undefined,
      );
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return given === shape ? undefined : report(` and cannot be compared with ${title}`);
    case "matches":
      return shape === "text" ? undefined : report(", not text");
    case "contains":
      if (shape === "number" || shape === "boolean") return report(" and cannot contain anything");
      if (shape === "text" && given !== "text") return report(` and cannot contain ${title}`);
      if (shape === "list") {
        const item = shapeOf(itemType(type) ?? "dyn");
        if (item !== "any" && item !== given) report(` and cannot contain ${title}`);
      }
      return;
    case "one_of":
      if (Array.isArray(value) && value.every((one) => shapeOfValue(one) !== shape)) {
        report(" and cannot equal any of these");
      }
      return;
    case "type":
      return value === shape ? undefined : report(`, never of type \`${value}\``);
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

function shapeOfValue(value: unknown): Shape {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "map" : shapeOf(typeOfValue(value));
}

function describeValue(value: unknown): string {
  if (value === null) return "null";
  return typeof value === "object" && !Array.isArray(value)
    ? "a map"
    : describeType(typeOfValue(value));
}
