import type { Span } from "./source.ts";

/** A map in the YAML text. */
export interface MapNode extends Span {
  /** Discriminates the kinds of nodes. */
  kind: "map";
  /** The entries in source order. */
  entries: Entry[];
}

/** A key of a map with its value. */
export interface Entry {
  /** The key as it is written, without quotes. */
  key: string;
  /** Where the key is written. */
  keySpan: Span;
  /** The value. */
  value: Node;
}

/** A list in the YAML text. */
export interface ListNode extends Span {
  /** Discriminates the kinds of nodes. */
  kind: "list";
  /** The items. */
  items: Node[];
}

/** The YAML styles of a scalar. */
export type ScalarStyle = "plain" | "single" | "double" | "literal" | "folded";

/** A text, number, boolean or null. */
export interface ScalarNode extends Span {
  /** Discriminates the kinds of nodes. */
  kind: "scalar";
  /** The value. */
  value: string | number | boolean | null;
  /** The style it is written in. */
  style: ScalarStyle;
  /** The source of a plain scalar: `0012` for 12. */
  raw: string;
}

/** A YAML value that knows where it is written. An alias is the same object as its anchor. */
export type Node = MapNode | ListNode | ScalarNode;

/** The name of a node's type in messages. */
export function describeNode(node: Node): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "null";
  switch (typeof node.value) {
    case "number":
      return Number.isInteger(node.value) ? "a whole number" : "a number";
    case "boolean":
      return "true or false";
    default:
      return "text";
  }
}

/** Whether a word is part of a key or a text in a node. */
export function mentions(root: Node, word: string): boolean {
  const seen = new Set<Node>();
  const search = (node: Node): boolean => {
    if (seen.has(node)) return false;
    seen.add(node);
    if (node.kind === "list") return node.items.some(search);
    if (node.kind === "map") {
      return node.entries.some(({ key, value }) => key.includes(word) || search(value));
    }
    return typeof node.value === "string" && node.value.includes(word);
  };
  return search(root);
}

/** Returns the value of a node; `${{ }}` in it is text. */
export function plainValue(node: Node): unknown {
  if (node.kind === "list") return node.items.map(plainValue);
  if (node.kind === "scalar") return node.value;
  return Object.fromEntries(node.entries.map(({ key, value }) => [key, plainValue(value)]));
}
