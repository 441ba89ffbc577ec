import { type Alias, isAlias, isMap, isScalar, isSeq, type Scalar, type YAMLMap } from "yaml";
import type { Diagnostics } from "./diagnostic.ts";
import type { Entry, Node, ScalarStyle } from "./node.ts";
import type { Span } from "./source.ts";

/** The most values a recipe may have once its aliases are expanded. */
const MAX_VALUES = 50_000;
/** The most characters its values may have once its aliases are expanded. */
const MAX_CHARACTERS = 4 << 20;
/** How deep lists and maps may be nested. */
const MAX_DEPTH = 100;

/** The size of a node. */
interface Size {
  /** The values in it, including itself. */
  values: number;
  /** The total length of the values. */
  characters: number;
}

/** Turns a parsed YAML document into nodes, and reports what recipes do not allow. */
export class NodeBuilder {
  #diagnostics: Diagnostics;
  #scale: number;
  #anchors = new Map<string, Node>();
  #sizes = new Map<Node, Size>();
  #open = new Set<string>();
  #tooLarge = false;

  /**
   * Reports problems to `diagnostics`.
   * @param scale How many times as large as a recipe the file may be.
   */
  constructor(diagnostics: Diagnostics, scale: number) {
    this.#diagnostics = diagnostics;
    this.#scale = scale;
  }

  /** The root node; `undefined` if the document is empty or too large. */
  build(contents: unknown): Node | undefined {
    if (contents === null) return undefined;
    const root = this.#node(contents, { start: 0, end: 0 }, 0);
    return this.#tooLarge ? undefined : root;
  }

  #node(value: unknown, around: Span, depth: number): Node {
    if (isAlias(value)) return this.#alias(value);
    if (!isMap(value) && !isSeq(value) && !isScalar(value)) return nullNode(around);
    const span = spanOf(value.range, around);
    if (value.tag !== undefined && (value as { tag: string }).tag !== "") {
      const start = this.#tag(value, span);
      // The `!` is probably part of the value, so read it as if it were quoted.
      if (isScalar(value)) return this.#unquoted({ start, end: Math.max(span.end, start + 1) });
    }
    const { anchor } = value as { anchor?: string };
    if (anchor !== undefined) this.#open.add(anchor);
    let node: Node;
    if (depth > MAX_DEPTH) {
      this.#refuse(span, "nested too deep");
      node = nullNode(span);
    } else if (isMap(value)) {
      node = { kind: "map", ...span, entries: this.#entries(value, span, depth) };
    } else if (isSeq(value)) {
      const items = value.items.map((item) => this.#node(item, span, depth + 1));
      node = { kind: "list", ...span, items };
    } else {
      node = this.#scalar(value as Scalar, span);
    }
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, node);
    }
    this.#measure(node);
    return node;
  }

  #entries(map: YAMLMap, span: Span, depth: number): Entry[] {
    const entries: Entry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of map.items) {
      const keyNode = pair.key;
      const keySpan = spanOf((keyNode as { range?: number[] | null } | null)?.range, span);
      if (!isScalar(keyNode) || keyNode.value === null || typeof keyNode.value === "object") {
        this.#diagnostics.error("yaml", keySpan, "a key must be text");
        continue;
      }
      const key = keyNode.source ?? String(keyNode.value);
      if (key === "<<" && keyNode.type === "PLAIN") {
        this.#diagnostics.error("yaml-tag", keySpan, "merge keys (`<<`) are not allowed", {
          label: "YAML 1.2 has none; write the keys out",
        });
        continue;
      }
      const first = seen.get(key);
      if (first !== undefined) {
        const { line } = this.#diagnostics.source.position(first.start);
        this.#diagnostics.error("duplicate-key", keySpan, `duplicate key \`${key}\``, {
          label: `already on line ${line}`,
        });
        continue;
      }
      seen.set(key, keySpan);
      const after = { start: keySpan.end, end: keySpan.end };
      entries.push({ key, keySpan, value: this.#node(pair.value, after, depth + 1) });
    }
    return entries;
  }

  #scalar(scalar: Scalar, span: Span): Node {
    const { text } = this.#diagnostics.source;
    const style = STYLES[scalar.type ?? "PLAIN"] ?? "plain";
    let end = span.end;
    // The range of a block scalar includes trailing line breaks, which a caret cannot mark.
    if (style === "literal" || style === "folded") {
      while (end > span.start && /\s/.test(text[end - 1]!)) end--;
    }
    let value = scalar.value as string | number | boolean | null | bigint;
    if (typeof value === "bigint") value = Number(value);
    return {
      kind: "scalar",
      start: span.start,
      end,
      style,
      raw: scalar.source ?? "",
      value: value as string | number | boolean | null,
    };
  }

  #alias(alias: Alias): Node {
    const span = spanOf(alias.range, { start: 0, end: 0 });
    const name = alias.source;
    const target = this.#anchors.get(name);
    if (target !== undefined) {
      this.#measure(target);
      return target;
    }
    this.#diagnostics.error(
      "yaml",
      span,
      this.#open.has(name)
        ? `the alias \`*${name}\` is inside its own anchor`
        : `there is no anchor \`&${name}\` above`,
    );
    return nullNode(span);
  }

  /**
   * Measures a node with its aliases expanded. Sizes are added up instead of walking the values, so
   * that an alias bomb costs nothing.
   */
  #measure(node: Node): void {
    let size = this.#sizes.get(node);
    if (size === undefined) {
      size = { values: 1, characters: 0 };
      const add = (part: Node) => {
        const { values, characters } = this.#sizes.get(part) ?? { values: 1, characters: 0 };
        size!.values += values;
        size!.characters += characters;
      };
      if (node.kind === "scalar") size.characters = node.raw.length;
      else if (node.kind === "list") node.items.forEach(add);
      else {
        for (const { key, value } of node.entries) {
          add(value);
          size.characters += key.length;
        }
      }
      this.#sizes.set(node, size);
    }
    const values = MAX_VALUES * this.#scale;
    if (size.values > values) {
      const count = values.toLocaleString("en");
      this.#refuse(node, `more than ${count} values once its aliases are expanded`);
    } else if (size.characters > MAX_CHARACTERS * this.#scale) {
      this.#refuse(node, `more than ${4 * this.#scale} MiB once its aliases are expanded`);
    }
  }

  #refuse(span: Span, message: string): void {
    if (this.#tooLarge) return;
    this.#tooLarge = true;
    this.#diagnostics.error("too-large", { start: span.start, end: span.start + 1 }, message);
  }

  #unquoted(span: Span): Node {
    const raw = this.#diagnostics.source.text.slice(span.start, span.end);
    return { kind: "scalar", ...span, style: "plain", raw, value: raw };
  }

  /** Reports a tag, and returns the offset it starts at. */
  #tag(value: { range?: [number, number, number] | null }, span: Span): number {
    const { text } = this.#diagnostics.source;
    const at = text.lastIndexOf("!", (value.range?.[0] ?? span.start) - 1);
    const start = at === -1 ? span.start : Math.max(at - (text[at - 1] === "!" ? 1 : 0), 0);
    const end = at === -1 ? span.end : start + (/^!+\S*/.exec(text.slice(start))?.[0].length ?? 1);
    const expression = /^![^!\s]*[.(\[]/.test(text.slice(start, end));
    this.#diagnostics.error("yaml-tag", { start, end }, "YAML tags are not allowed", {
      label: expression ? NOT_A_TAG : "for text, quote the value instead",
    });
    return start;
  }
}

/** The hint for `assert: !a.b`, which is meant as an expression. */
export const NOT_A_TAG = "a value that begins with `!` needs quotes";

const STYLES: Record<string, ScalarStyle> = {
  PLAIN: "plain",
  QUOTE_SINGLE: "single",
  QUOTE_DOUBLE: "double",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "folded",
};

function nullNode(span: Span): Node {
  return { kind: "scalar", ...span, value: null, style: "plain", raw: "" };
}

function spanOf(range: readonly number[] | null | undefined, fallback: Span): Span {
  return range ? { start: range[0]!, end: range[1]! } : { ...fallback };
}
