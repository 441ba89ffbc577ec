import type { Diagnostics } from "./diagnostic.ts";
import type { Entry, Node, ScalarStyle } from "./node.ts";
import type { Span } from "./source.ts";
import type * as yaml from "yaml";

/** With every alias written out, a recipe may have this many values. */
export const MAX_VALUES = 50_000;
/** Lists and maps may be nested this deep. */
export const MAX_DEPTH = 100;

/** Reads YAML with the whole parser. */
export async function readWholeYaml(diagnostics: Diagnostics): Promise<Node | undefined> {
  const { text } = diagnostics.source;
  const library = await loadYaml();
  const documents = library.parseAllDocuments(text, {
    uniqueKeys: false,
    prettyErrors: false,
    version: "1.2",
    logLevel: "silent",
  });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document === undefined) return undefined;
  const second = (documents as yaml.Document.Parsed[])[1];
  if (second !== undefined) {
    const start = second.range[0];
    diagnostics.error("yaml", { start, end: start + 1 }, "a file holds one recipe, not several", {
      label: "a second document begins here",
    });
  }
  if (/^%[A-Z]/m.test(text) && document.directives?.docStart) {
    const start = text.search(/^%[A-Z]/m);
    diagnostics.error("yaml-tag", { start, end: start + 1 }, "YAML directives are not allowed");
  }
  // The errors behind the first one are about what it broke.
  const [error] = document.errors;
  // How deep a parser can follow differs between runtimes; the limit, which comes first, does not.
  if (error !== undefined && error.code !== "RESOURCE_EXHAUSTION") {
    const span = { start: error.pos[0], end: error.pos[1] };
    const code = error.code === "TAG_RESOLVE_FAILED" ? "yaml-tag" : "yaml";
    diagnostics.error(code, span, plain(error), hint(error.code, text, error.pos[0]));
    return undefined;
  }
  const root = new Reader(library, diagnostics, document).root();
  if (error === undefined || diagnostics.failed) return root;
  diagnostics.error("too-large", { start: error.pos[0], end: error.pos[1] }, "nested too deep");
  return undefined;
}

type Library = typeof yaml;

/**
 * Loads the parser. In Deno the package's main entry is CommonJS and costs 40 ms; the ES modules
 * beside it, which its exports do not name, cost 17.
 */
export async function loadYaml(): Promise<Library> {
  if ("Deno" in globalThis) {
    const main = import.meta.resolve("yaml");
    const modules = main.replace(/\/dist\/index\.js$/, "/browser/dist/index.js");
    try {
      if (modules !== main) return await import(modules);
    } catch {
      // Another layout of the package; its main entry is always there.
    }
  }
  return await import("yaml");
}

class Reader {
  #library: Library;
  #diagnostics: Diagnostics;
  #document: yaml.Document.Parsed;
  #anchors = new Map<string, Node>();
  #sizes = new Map<Node, number>();
  #open = new Set<string>();
  #tooLarge = false;

  constructor(library: Library, diagnostics: Diagnostics, document: yaml.Document.Parsed) {
    this.#library = library;
    this.#diagnostics = diagnostics;
    this.#document = document;
  }

  root(): Node | undefined {
    const { contents } = this.#document;
    if (contents === null) return undefined;
    const root = this.#node(contents, { start: 0, end: 0 }, 0);
    return this.#tooLarge ? undefined : root;
  }

  #node(value: unknown, around: Span, depth: number): Node {
    const { isAlias, isMap, isScalar, isSeq } = this.#library;
    if (isAlias(value)) return this.#alias(value);
    if (!isMap(value) && !isSeq(value) && !isScalar(value)) return nothing(around);
    const span = spanOf(value.range, around);
    if (value.tag !== undefined && (value as { tag: string }).tag !== "") {
      const start = this.#tag(value, span);
      // Most likely `!` was meant as a part of the value, which is read on as if it were quoted.
      if (isScalar(value)) return this.#written({ start, end: Math.max(span.end, start + 1) });
    }
    const { anchor } = value as { anchor?: string };
    if (anchor !== undefined) this.#open.add(anchor);
    let node: Node;
    if (depth > MAX_DEPTH) {
      this.#refuse(span, "nested too deep");
      node = nothing(span);
    } else if (isMap(value)) {
      node = { kind: "map", ...span, entries: this.#entries(value, span, depth) };
    } else if (isSeq(value)) {
      const items = value.items.map((item) => this.#node(item, span, depth + 1));
      node = { kind: "list", ...span, items };
    } else {
      node = this.#scalar(value as yaml.Scalar, span);
    }
    if (anchor !== undefined) {
      this.#open.delete(anchor);
      this.#anchors.set(anchor, node);
    }
    this.#measure(node);
    return node;
  }

  #entries(map: yaml.YAMLMap, span: Span, depth: number): Entry[] {
    const entries: Entry[] = [];
    const seen = new Map<string, Span>();
    for (const pair of map.items) {
      const { isScalar } = this.#library;
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

  #scalar(scalar: yaml.Scalar, span: Span): Node {
    const { text } = this.#diagnostics.source;
    const style = STYLES[scalar.type ?? "PLAIN"] ?? "plain";
    let end = span.end;
    // A block scalar's range ends in its trailing line breaks, which no mark can show.
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

  #alias(alias: yaml.Alias): Node {
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
        ? `the alias \`*${name}\` stands inside what it names`
        : `there is no anchor \`&${name}\` above`,
    );
    return nothing(span);
  }

  /** Counts a node as often as it is used, from sizes that are known: a bomb is never expanded. */
  #measure(node: Node): void {
    let size = this.#sizes.get(node);
    if (size === undefined) {
      size = 1;
      if (node.kind === "list") {
        for (const item of node.items) size += this.#sizes.get(item) ?? 1;
      }
      if (node.kind === "map") {
        for (const entry of node.entries) size += this.#sizes.get(entry.value) ?? 1;
      }
      this.#sizes.set(node, size);
    }
    if (size > MAX_VALUES) {
      this.#refuse(node, "more than 50,000 values with its aliases written out");
    }
  }

  #refuse(span: Span, message: string): void {
    if (this.#tooLarge) return;
    this.#tooLarge = true;
    this.#diagnostics.error("too-large", { start: span.start, end: span.start + 1 }, message);
  }

  #written(span: Span): Node {
    const raw = this.#diagnostics.source.text.slice(span.start, span.end);
    return { kind: "scalar", ...span, style: "plain", raw, value: raw };
  }

  /** Refuses a tag, and tells where it begins. */
  #tag(value: { range?: [number, number, number] | null }, span: Span): number {
    const { text } = this.#diagnostics.source;
    const at = text.lastIndexOf("!", (value.range?.[0] ?? span.start) - 1);
    const start = at === -1 ? span.start : Math.max(at - (text[at - 1] === "!" ? 1 : 0), 0);
    const end = at === -1 ? span.end : start + (/^!+\S*/.exec(text.slice(start))?.[0].length ?? 1);
    const expression = /^![^!\s]*[.(\[]/.test(text.slice(start, end));
    this.#diagnostics.error("yaml-tag", { start, end }, "YAML tags are not allowed", {
      label: expression ? NOT_A_TAG : "a quoted value is text, a plain one what it looks like",
    });
    return start;
  }
}

const STYLES: Record<string, ScalarStyle> = {
  PLAIN: "plain",
  QUOTE_SINGLE: "single",
  QUOTE_DOUBLE: "double",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "folded",
};

function nothing(span: Span): Node {
  return { kind: "scalar", ...span, value: null, style: "plain", raw: "" };
}

function spanOf(range: readonly number[] | null | undefined, fallback: Span): Span {
  return range ? { start: range[0]!, end: range[1]! } : { ...fallback };
}

/** The parser's message, in the words of people where it speaks of tokens. */
function plain({ code, message }: { code: string; message: string }): string {
  if (code === "UNEXPECTED_TOKEN" || code === "BAD_INDENT") {
    return /flow (sequence|map)/i.test(message)
      ? "this list or map in brackets is not closed, or not indented enough"
      : "this does not belong here: look at the indentation and the quotes above";
  }
  if (code === "TAG_RESOLVE_FAILED") return "YAML tags are not allowed";
  return message.charAt(0).toLowerCase() + message.slice(1);
}

/** `assert: !a.b` is meant as an expression. */
const NOT_A_TAG = "a value that begins with `!` needs quotes";

/** What helps with the mistakes that are made most. */
function hint(code: string, text: string, at: number): { label?: string; notes?: string[] } {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, text.indexOf("\n", at) >>> 0);
  if (code === "TAG_RESOLVE_FAILED") return { label: NOT_A_TAG };
  if (line.includes("${{")) {
    return {
      notes: ["put quotes around a value with `${{ }}` that holds `: `, ` #` or stands in { }"],
    };
  }
  if (code === "TAB_AS_INDENT") return { label: "use spaces" };
  if (code === "BLOCK_AS_IMPLICIT_KEY") return { label: "a value with `: ` in it needs quotes" };
  return {};
}
