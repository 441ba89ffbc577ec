import type { Entry, Node, ScalarNode, ScalarStyle } from "./node.ts";

/** Longer texts are rare, and reading them is no part of a start. */
const MAX_LENGTH = 65_536;
/** How deep lists and maps may be nested here. */
const MAX_DEPTH = 20;
/** The longest key; the `yaml` package refuses those of more than 1024 characters. */
const MAX_KEY = 200;
/** The most keys of a map, each of which is compared with the others. */
const MAX_KEYS = 200;

/** Thrown at what {@linkcode readPlainYaml} does not read. It is caught there, so it has no place. */
const OTHER = new Error("Cannot read the text: it is not plain YAML");

/**
 * Reads the YAML that most recipes are written in: maps and lists by indentation, and values that end
 * on their line. For such a text it gives the same nodes as the `yaml` package, which takes a quarter
 * of a cold start to load and to parse with.
 *
 * @returns The root node; `undefined` for a text with anything else, or with a mistake.
 */
export function readPlainYaml(text: string): Node | undefined {
  if (text.length > MAX_LENGTH || /[\t\r\ufeff]/.test(text)) return undefined;
  try {
    return new PlainReader(text).read();
  } catch (error) {
    if (error === OTHER) return undefined;
    throw error;
  }
}

/** The indentation of a line, and its comment. */
const LINE_START = /( *)(#[^\n]*)?/y;
/** What may follow a value on its line. */
const LINE_END = / *(?:(?<= )#[^\n]*)?(?:\n|$)/y;
/** A key, and the spaces after its colon. */
const KEY = /([A-Za-z_](?:[^\n:# ]|:(?=[^ \n])|(?<! )#| +(?=[^\n#: ]))*):(?:(?=\n|$)| +)/y;
/** The dash of an item, and the spaces after it. */
const DASH = /- +/y;
/** A value without quotes: up to `: `, ` #` or the end of the line. */
const PLAIN =
  /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?=[^\s]))(?:[^\n:# ]|:(?=[^ \n])|(?<! )#| +(?=[^\n# ]))*/y;
/** A value without quotes inside brackets. */
const FLOW_PLAIN =
  /(?:[^\s\-?:,[\]{}#&*!|>'"%@`]|-(?=\d))(?:[^\n:#,[\]{} ]|:(?=[^ \n,[\]{}])|(?<! )#| +(?=[^\n#:,[\]{} ]))*/y;
/** A key without quotes inside brackets, and the spaces after its colon. */
const FLOW_KEY = /([A-Za-z_][\w.-]*): +/y;
/** A value in quotes without escape sequences. */
const QUOTED = /(?:"([^"\\\n]*)"|'([^'\n]*)')/y;
const FLOW_COLON = /: */y;
const COMMA = / *, */y;
const SPACES = / */y;

/** Words that are no text. */
const WORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);
const OTHER_WORD = /^(?:~|null|true|false|[-+]?\.(?:inf|nan))$/i;
const NUMBER = /^-?\d{1,15}(?:\.\d{1,15})?$/;
/** A number in another notation. */
const OTHER_NUMBER = /^[-+]?(?:\d+|\.\d+|\d+\.\d*)(?:e[-+]?\d+)?$|^0[ox][\da-f]+$/i;

class PlainReader {
  #text: string;
  #at = 0;
  /** The column of the current line's first character; -1 at the end. */
  #column = -1;
  /** Where the last value ends, with what follows it on its line. */
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): Node {
    this.#nextLine(true);
    if (this.#column > 0 || this.#isAtEnd) throw OTHER;
    const root = this.#block(0);
    // Also if a line is indented as no list or map above it is.
    if (!this.#isAtEnd) throw OTHER;
    return root;
  }

  get #isAtEnd(): boolean {
    return this.#column === -1;
  }

  /** Reads the list or map that begins on the current line. */
  #block(depth: number): Node {
    if (depth > MAX_DEPTH) throw OTHER;
    return this.#isAtItem() ? this.#list(this.#column, depth) : this.#map(this.#column, depth);
  }

  #list(column: number, depth: number): Node {
    const start = this.#at;
    const items: Node[] = [];
    do {
      const [dash] = this.#expect(DASH);
      const isMap = this.#isAt(KEY);
      items.push(isMap ? this.#map(column + dash.length, depth + 1) : this.#lineValue(depth));
    } while (this.#column === column && this.#isAtItem());
    return { kind: "list", start, end: this.#end, items };
  }

  #map(column: number, depth: number): Node {
    const start = this.#at;
    const entries: Entry[] = [];
    do {
      const keyStart = this.#at;
      const key = this.#expect(KEY)[1]!;
      const keySpan = { start: keyStart, end: keyStart + key.length };
      addEntry(entries, key, keySpan, this.#mapValue(column, depth));
    } while (this.#column === column);
    return { kind: "map", start, end: this.#end, entries };
  }

  #mapValue(column: number, depth: number): Node {
    const next = this.#text[this.#at];
    if (next !== undefined && next !== "\n" && next !== "#") return this.#lineValue(depth);
    this.#expect(LINE_END);
    this.#nextLine(true);
    if (this.#column > column) return this.#block(depth + 1);
    // A list may begin below the first character of its key.
    if (this.#column === column && this.#isAtItem()) return this.#list(column, depth + 1);
    throw OTHER;
  }

  /** Reads a value up to the end of its line, and moves to the next line. */
  #lineValue(depth: number): Node {
    const value = this.#quotedOrBracket(depth + 1) ?? this.#plain(PLAIN);
    this.#expect(LINE_END);
    this.#end = this.#at;
    this.#nextLine(false);
    return value;
  }

  #quotedOrBracket(depth: number): Node | undefined {
    const start = this.#at;
    switch (this.#text[start]) {
      case "[": {
        const items: Node[] = [];
        this.#bracket("]", depth, () => items.push(this.#flowValue(depth)));
        return { kind: "list", start, end: this.#at, items };
      }
      case "{": {
        const entries: Entry[] = [];
        this.#bracket("}", depth, () => this.#flowEntry(entries, depth));
        return { kind: "map", start, end: this.#at, entries };
      }
      case '"':
      case "'":
        return this.#quoted();
      default:
        return undefined;
    }
  }

  /** Reads brackets with `read` for each part between commas. */
  #bracket(close: string, depth: number, read: () => void): void {
    if (depth > MAX_DEPTH) throw OTHER;
    this.#at++;
    this.#expect(SPACES);
    for (let isFirst = true; this.#text[this.#at] !== close; isFirst = false) {
      if (!isFirst) this.#expect(COMMA);
      read();
      if (!this.#isAt(COMMA)) this.#expect(SPACES);
    }
    this.#at++;
  }

  #flowValue(depth: number): Node {
    return this.#quotedOrBracket(depth + 1) ?? this.#plain(FLOW_PLAIN);
  }

  #flowEntry(entries: Entry[], depth: number): void {
    const start = this.#at;
    let key = this.#match(FLOW_KEY)?.[1];
    let end = start + (key?.length ?? 0);
    if (key === undefined) {
      ({ raw: key, end } = this.#quoted());
      this.#expect(FLOW_COLON);
    }
    addEntry(entries, key, { start, end }, this.#flowValue(depth));
  }

  #quoted(): ScalarNode {
    const start = this.#at;
    const [, double, single] = this.#expect(QUOTED);
    return this.#scalar(start, double === undefined ? "single" : "double", double ?? single!);
  }

  #plain(pattern: RegExp): ScalarNode {
    const start = this.#at;
    const [raw] = this.#expect(pattern);
    return this.#scalar(start, "plain", raw, valueOf(raw));
  }

  #scalar(
    start: number,
    style: ScalarStyle,
    raw: string,
    value: ScalarNode["value"] = raw,
  ): ScalarNode {
    return { kind: "scalar", start, end: this.#at, style, raw, value };
  }

  /**
   * Moves to the next line that is neither empty nor a comment.
   *
   * @param isOpen Whether the value of a key is still to come.
   */
  #nextLine(isOpen: boolean): void {
    /** The columns of the comments on the way. */
    const comments: number[] = [];
    for (;;) {
      const [, spaces, comment] = this.#expect(LINE_START);
      if (comment !== undefined) comments.push(spaces!.length);
      const isEnd = this.#at >= this.#text.length;
      if (isEnd || this.#text[this.#at] !== "\n") {
        this.#column = isEnd ? -1 : spaces!.length;
        break;
      }
      this.#at++;
    }
    if (isOpen) return;
    // The `yaml` package counts some comments that are indented further to the value above them.
    const column = Math.max(0, this.#column);
    if (comments.some((at) => at !== column)) throw OTHER;
  }

  /** Whether an item of a list begins here. */
  #isAtItem(): boolean {
    return this.#text.startsWith("- ", this.#at);
  }

  #isAt(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  /** Reads what a pattern matches here. */
  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    return match;
  }

  #expect(pattern: RegExp): RegExpExecArray {
    const match = this.#match(pattern);
    if (match === undefined) throw OTHER;
    return match;
  }
}

function addEntry(entries: Entry[], key: string, keySpan: Entry["keySpan"], value: Node): void {
  if (key.length > MAX_KEY || entries.length === MAX_KEYS || /^null$/i.test(key)) throw OTHER;
  if (entries.some((entry) => entry.key === key)) throw OTHER;
  entries.push({ key, keySpan, value });
}

/** The value of a scalar without quotes. */
function valueOf(raw: string): ScalarNode["value"] {
  if (OTHER_WORD.test(raw)) {
    const value = WORDS.get(raw);
    if (value === undefined) throw OTHER;
    return value;
  }
  if (NUMBER.test(raw)) return Number(raw);
  if (OTHER_NUMBER.test(raw)) throw OTHER;
  return raw;
}
