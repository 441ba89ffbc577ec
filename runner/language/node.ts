import type { Span } from "./source.ts";

/** A map of a recipe's text. */
export interface MapNode extends Span {
  /** Tells the kinds of nodes apart. */
  kind: "map";
  /** Its entries, in the order they are written. */
  entries: Entry[];
}

/** A key and its value. */
export interface Entry {
  /** The key as text. */
  key: string;
  /** Where the key stands. */
  keySpan: Span;
  /** The value. */
  value: Node;
}

/** A list of a recipe's text. */
export interface ListNode extends Span {
  /** Tells the kinds of nodes apart. */
  kind: "list";
  /** Its items. */
  items: Node[];
}

/** How a scalar is written. */
export type ScalarStyle = "plain" | "single" | "double" | "literal" | "folded";

/** Text, a number, a boolean or null. */
export interface ScalarNode extends Span {
  /** Tells the kinds of nodes apart. */
  kind: "scalar";
  /** The value. */
  value: string | number | boolean | null;
  /** How it is written. */
  style: ScalarStyle;
  /** The text a plain scalar is written with: `0012` for 12. */
  raw: string;
}

/** A value with its place. An alias's node is the very node its anchor names. */
export type Node = MapNode | ListNode | ScalarNode;

/** What a node is, for messages. */
export function describe(node: Node): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.value === null) return "nothing";
  switch (typeof node.value) {
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    default:
      return "text";
  }
}
