import type { Entry, Node, ScalarNode, ScalarStyle } from "./node.ts";

/**
 * Reads the YAML that recipes are mostly made of: maps and lists in blocks or on one line, plain and
 * quoted values on one line, literal blocks, comments. It is there for speed only: loading the whole
 * parser is a seventh of a recipe's cold start. Whatever it is not sure of, mistakes included, it
 * leaves to the whole parser; a test holds the two equal.
 *
 * @returns The root, `null` for a text without one, or `undefined` when the whole parser is needed.
 */
export function readSimpleYaml(text: string): Node | null | undefined {
  // Tabs, other line ends, tags, anchors, aliases, directives, documents and what cannot be printed.
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\ufeff\ud800-\udfff]/.test(text)) {
    return undefined;
  }
  if (/^(---|\.\.\.|%)/m.test(text)) return undefined;
  // The whole parser's reader knows the limits of what a recipe may hold.
  if (text.length > MAX_LENGTH) return undefined;
  try {
    return new SimpleReader(text).document();
  } catch (error) {
    if (error instanceof NotSimple) return undefined;
    throw error;
  }
}

const MAX_LENGTH = 100_000;
const MAX_NESTED = 50;

/** Thrown where the whole parser is needed. */
class NotSimple extends Error {}

/** A line with something on it. */
interface Line {
  /** The offset of its first character that is no space. */
  start: number;
  /** Behind its last character. */
  end: number;
  /** How many spaces stand before it. */
  indent: number;
}

const KEY = /([A-Za-z_$][\w$.()[\]-]*|"[^"\\\n]*"|'[^'\n]*') *:(?=[ \n]|$)/y;
const FLOW_KEY = /([A-Za-z_$][\w$.-]*|"[^"\\\n]*"|'[^'\n]*') *:(?= )/y;

class SimpleReader {
  #text: string;
  #lines: Line[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start);
      const end = newline === -1 ? text.length : newline;
      let first = start;
      while (text[first] === " ") first++;
      if (first < end && text[first] !== "#") {
        this.#lines.push({ start: first, end, indent: first - start });
      }
      start = end + 1;
    }
  }

  document(): Node | null {
    const first = this.#lines[0];
    if (!first) return null;
    if (first.indent !== 0) throw new NotSimple();
    const root = this.#block(0, first.start);
    if (this.#at < this.#lines.length) throw new NotSimple();
    return root;
  }

  /** A block map or list whose entries begin at a column; the current line is its first. */
  #block(indent: number, start: number): Node {
    // Each level of blocks is indented by two columns in practice, and by one at least.
    if (indent > MAX_NESTED) throw new NotSimple();
    return this.#isItem(start) ? this.#list(indent, start) : this.#map(indent, start);
  }

  #isItem(start: number): boolean {
    return this.#text[start] === "-" && (this.#text[start + 1] === " " ||
      this.#text[start + 1] === "\n" || start + 1 === this.#text.length);
  }

  #list(indent: number, start: number): Node {
    const items: Node[] = [];
    let at = start;
    while (true) {
      const line = this.#lines[this.#at]!;
      let value = at + 1;
      while (this.#text[value] === " ") value++;
      // An item of an item, or nothing behind the dash, is rare.
      if (value >= line.end || this.#text[value] === "#" || this.#isItem(value)) {
        throw new NotSimple();
      }
      KEY.lastIndex = value;
      if (KEY.test(this.#text) && KEY.lastIndex <= line.end) {
        items.push(this.#map(indent + value - at, value));
      } else {
        items.push(this.#value(value, line, indent));
      }
      const next = this.#lines[this.#at];
      if (!next || next.indent < indent) break;
      if (next.indent > indent || !this.#isItem(next.start)) {
        // A map's key may stand in the column of its list's dashes.
        if (next.indent === indent && !this.#isItem(next.start)) break;
        throw new NotSimple();
      }
      at = next.start;
    }
    return { kind: "list", start, end: items.at(-1)!.end, items };
  }

  #map(indent: number, start: number): Node {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    let at = start;
    while (true) {
      const line = this.#lines[this.#at]!;
      KEY.lastIndex = at;
      const match = KEY.exec(this.#text);
      if (!match || KEY.lastIndex > line.end) throw new NotSimple();
      const written = match[1]!;
      const keySpan = { start: at, end: at + written.length };
      const key = keyOf(written);
      if (seen.has(key)) throw new NotSimple();
      seen.add(key);
      let value = KEY.lastIndex;
      while (this.#text[value] === " ") value++;
      const colon = KEY.lastIndex;
      entries.push({ key, keySpan, value: this.#entryValue(value, line, indent, colon) });
      const next = this.#lines[this.#at];
      if (!next || next.indent < indent) break;
      if (next.indent > indent || this.#isItem(next.start)) {
        if (next.indent === indent) break;
        throw new NotSimple();
      }
      at = next.start;
    }
    return { kind: "map", start, end: entries.at(-1)!.value.end, entries };
  }

  #entryValue(start: number, line: Line, indent: number, colon: number): Node {
    if (start < line.end && this.#text[start] !== "#") return this.#value(start, line, indent);
    const next = this.#lines[++this.#at];
    if (next && (next.indent > indent || (next.indent === indent && this.#isItem(next.start)))) {
      return this.#block(next.indent, next.start);
    }
    // Where nothing stands behind spaces is a matter of its own.
    if (colon < line.end) throw new NotSimple();
    return { kind: "scalar", start: colon, end: colon, value: null, style: "plain", raw: "" };
  }

  /** A value that begins on a line, which it ends; the reader stands on the next one afterwards. */
  #value(start: number, line: Line, indent: number): Node {
    const char = this.#text[start];
    if (char === "|") return this.#literal(start, line, indent);
    const inline = new InlineReader(this.#text, line.end);
    const node = inline.read(start, false);
    inline.expectEnd(node.end);
    const next = this.#lines[++this.#at];
    // A deeper line goes on with the value.
    if (next && next.indent > indent) throw new NotSimple();
    return node;
  }

  #literal(start: number, line: Line, indent: number): Node {
    const header = this.#text.slice(start, line.end);
    if (header !== "|" && header !== "|-") throw new NotSimple();
    const lines: string[] = [];
    let at = line.end + 1;
    let own = -1;
    let end = start + 1;
    while (at < this.#text.length) {
      const newline = this.#text.indexOf("\n", at);
      const stop = newline === -1 ? this.#text.length : newline;
      const content = this.#text.slice(at, stop);
      const depth = /[^ ]/.exec(content)?.index;
      if (depth === undefined) {
        // Blank lines at the ends are a matter of their own.
        if (own === -1 || content.length > own) throw new NotSimple();
        lines.push("");
      } else {
        if (own === -1) own = depth;
        if (depth <= indent) break;
        if (depth < own) throw new NotSimple();
        lines.push(content.slice(own));
        end = stop;
      }
      at = stop + 1;
    }
    if (own === -1 || lines.length === 0) throw new NotSimple();
    while (lines.at(-1) === "") lines.pop();
    if (this.#text[end] !== "\n") throw new NotSimple();
    while (this.#lines[this.#at] && this.#lines[this.#at]!.start < end) this.#at++;
    // A comment inside the block is text, but was passed over as a line.
    const value = lines.join("\n") + (header === "|" ? "\n" : "");
    return scalar(value, start, end, "literal", value);
  }
}

/** Reads what stands on one line. */
class InlineReader {
  #text: string;
  #end: number;
  #depth = 0;

  constructor(text: string, end: number) {
    this.#text = text;
    this.#end = end;
  }

  /** The value that begins at an offset. */
  read(start: number, inFlow: boolean): Node {
    if (++this.#depth > MAX_NESTED) throw new NotSimple();
    const node = this.#read(start, inFlow);
    this.#depth--;
    return node;
  }

  #read(start: number, inFlow: boolean): Node {
    switch (this.#text[start]) {
      case "{":
        return this.#map(start);
      case "[":
        return this.#list(start);
      case '"':
        return this.#double(start);
      case "'":
        return this.#single(start);
      default:
        return this.#plain(start, inFlow);
    }
  }

  /** Nothing but a comment may stand behind a value. */
  expectEnd(at: number): void {
    const rest = this.#text.slice(at, this.#end);
    if (!/^ *$/.test(rest) && !/^ +#/.test(rest)) throw new NotSimple();
  }

  #plain(start: number, inFlow: boolean): ScalarNode {
    const rest = this.#text.slice(start, this.#end);
    // What begins with one of these is something else, and a `-` only begins numbers here.
    if (/^[,[\]{}#&*!|>'"%@`?:]/.test(rest) || /^-(?!\d)/.test(rest)) throw new NotSimple();
    let end: number;
    if (inFlow) end = /[,[\]{}]|: | #|:$/.exec(rest)?.index ?? rest.length;
    else end = / #/.exec(rest)?.index ?? rest.length;
    const raw = rest.slice(0, end).trimEnd();
    if (raw === "" || /:( |$)/.test(raw) || / #/.test(raw)) throw new NotSimple();
    if (inFlow && /:$|^[^ ]*: /.test(rest.slice(0, end + 1))) throw new NotSimple();
    return scalar(resolvePlain(raw), start, start + raw.length, "plain", raw);
  }

  #single(start: number): ScalarNode {
    const match = /^'((?:[^'\n]|'')*)'(?!')/.exec(this.#text.slice(start, this.#end));
    if (!match) throw new NotSimple();
    const value = match[1]!.replaceAll("''", "'");
    return scalar(value, start, start + match[0].length, "single", value);
  }

  #double(start: number): ScalarNode {
    const match = /^"((?:[^"\\\n]|\\["\\/nt])*)"/.exec(this.#text.slice(start, this.#end));
    if (!match) throw new NotSimple();
    const value = match[1]!.replace(
      /\\(.)/g,
      (_, c: string) => c === "n" ? "\n" : c === "t" ? "\t" : c,
    );
    return scalar(value, start, start + match[0].length, "double", value);
  }

  #list(start: number): Node {
    const items: Node[] = [];
    let at = this.#space(start + 1);
    if (this.#text[at] === "]") return { kind: "list", start, end: at + 1, items };
    while (true) {
      const item = this.read(at, true);
      items.push(item);
      at = this.#space(item.end);
      if (this.#text[at] === "]") return { kind: "list", start, end: at + 1, items };
      // A pair in a list is a map of its own, and a comma at the end is rare.
      if (this.#text[at] !== ",") throw new NotSimple();
      at = this.#space(at + 1);
      if (this.#text[at] === "]" || this.#text[at] === ",") throw new NotSimple();
    }
  }

  #map(start: number): Node {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    let at = this.#space(start + 1);
    if (this.#text[at] === "}") return { kind: "map", start, end: at + 1, entries };
    while (true) {
      FLOW_KEY.lastIndex = at;
      const match = FLOW_KEY.exec(this.#text);
      if (!match || FLOW_KEY.lastIndex > this.#end) throw new NotSimple();
      const written = match[1]!;
      const key = keyOf(written);
      if (seen.has(key)) throw new NotSimple();
      seen.add(key);
      const keySpan = { start: at, end: at + written.length };
      const value = this.read(this.#space(FLOW_KEY.lastIndex), true);
      entries.push({ key, keySpan, value });
      at = this.#space(value.end);
      if (this.#text[at] === "}") return { kind: "map", start, end: at + 1, entries };
      if (this.#text[at] !== ",") throw new NotSimple();
      at = this.#space(at + 1);
      if (this.#text[at] === "}" || this.#text[at] === ",") throw new NotSimple();
    }
  }

  #space(at: number): number {
    let next = at;
    while (this.#text[next] === " ") next++;
    if (next >= this.#end) throw new NotSimple();
    return next;
  }
}

function keyOf(written: string): string {
  if (/^["']/.test(written)) return written.slice(1, -1);
  if (resolvePlain(written) === null) throw new NotSimple();
  return written;
}

function scalar(
  value: ScalarNode["value"],
  start: number,
  end: number,
  style: ScalarStyle,
  raw: string,
): ScalarNode {
  return { kind: "scalar", start, end, value, style, raw };
}

/** What a plain value is in the core schema of YAML 1.2. */
function resolvePlain(raw: string): ScalarNode["value"] {
  if (/^(~|null|Null|NULL)$/.test(raw)) return null;
  if (/^(true|True|TRUE)$/.test(raw)) return true;
  if (/^(false|False|FALSE)$/.test(raw)) return false;
  if (/^[-+]?\d+$/.test(raw)) return Number(raw);
  if (/^0[ox]/.test(raw) || /^[-+]?\.?(inf|nan)$/i.test(raw)) throw new NotSimple();
  if (/^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/.test(raw)) return Number(raw);
  return raw;
}
