import type { Span } from "../../language/source.ts";

/** A mistake in a JSON text. Engines report them in their own words, and some without a place. */
export interface JsonFault extends Span {
  message: string;
  /** A hint that is shown beside the place. */
  label?: string;
}

/** The deepest nesting that is read, as in a recipe. */
const MAX_DEPTH = 100;

/** Matches a token that is no text. */
const TOKEN =
  /[{}[\],:]|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

/** Matches what may follow a backslash in a text. */
const ESCAPE = /["\\/bfnrt]|u[\da-fA-F]{4}/y;

/** Matches white space. */
const SPACE = /[ \t\r\n]*/y;

/** Returns the first mistake of a JSON text; `undefined` if it has none. */
export function findJsonFault(text: string): JsonFault | undefined {
  return new JsonReader(text).read();
}

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonFault | undefined {
    /** The brackets that are open, and what may come next. */
    const open: ("{" | "[")[] = [];
    let wants: "value" | "value or ]" | "key" | "key or }" | "colon" | "comma" | "end" = "value";
    while (true) {
      const token = this.#next();
      if (token === undefined) {
        if (wants === "end" && this.#at === this.#text.length) return undefined;
        return this.#unexpected(wants, open);
      }
      const isValue = /^["\-\dtfn]/.test(token);
      if (wants === "colon" && token === ":") wants = "value";
      else if (wants === "comma" && token === ",") wants = open.at(-1) === "{" ? "key" : "value";
      else if (wants.startsWith("key") && token.startsWith('"')) wants = "colon";
      else if (closes(token, wants, open.at(-1))) {
        open.pop();
        wants = open.length === 0 ? "end" : "comma";
      } else if (wants.startsWith("value") && isValue) {
        if (isInexact(token)) return this.#fault(token, INEXACT, "write it as text");
        wants = open.length === 0 ? "end" : "comma";
      } else if (wants.startsWith("value") && (token === "{" || token === "[")) {
        open.push(token);
        if (open.length > MAX_DEPTH) return this.#fault(token, "it is nested too deep");
        wants = token === "{" ? "key or }" : "value or ]";
      } else {
        this.#at -= token.length;
        return this.#unexpected(wants, open);
      }
    }
  }

  /** Reads the next token, if there is a valid one. */
  #next(): string | undefined {
    this.#at += matchAt(SPACE, this.#text, this.#at)!.length;
    const token = this.#text[this.#at] === '"'
      ? this.#string()
      : matchAt(TOKEN, this.#text, this.#at);
    this.#at += token?.length ?? 0;
    return token;
  }

  /** Reads a text. A pattern for it would backtrack for long in one without an end. */
  #string(): string | undefined {
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const char = this.#text[at]!;
      if (char === '"') return this.#text.slice(this.#at, at + 1);
      if (char < " ") return undefined;
      if (char !== "\\") continue;
      const escape = matchAt(ESCAPE, this.#text, at + 1);
      if (escape === undefined) return undefined;
      at += escape.length;
    }
    return undefined;
  }

  #fault(token: string, message: string, label?: string): JsonFault {
    const fault = { start: this.#at - token.length, end: this.#at, message };
    return label === undefined ? fault : { ...fault, label };
  }

  #unexpected(wants: string, open: readonly string[]): JsonFault {
    const start = this.#at;
    const found = matchAt(WORD, this.#text, start)!;
    const expected = wants === "comma"
      ? `\`,\` or \`${open.at(-1) === "{" ? "}" : "]"}\``
      : wants === "colon"
      ? "`:`"
      : wants === "end"
      ? "nothing more"
      : wants.startsWith("key")
      ? `a key in double quotes${wants === "key" ? "" : " or `}`"}`
      : `a value${wants === "value" ? "" : " or `]`"}`;
    const message = found === "" ? `it ends where ${expected} is missing` : `expected ${expected}`;
    const label = hintFor(found, wants);
    const end = Math.max(start + 1, start + found.length);
    return { start, end, message, ...(label === undefined ? {} : { label }) };
  }
}

/** Matches what to mark of a text that is not JSON. */
const WORD = /(?:["']?[\w.+-]+|.)?/suy;

/** Matches a sticky pattern at a position. */
function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

const INEXACT = "JSON loses digits of a whole number beyond 2^53";

function isInexact(token: string): boolean {
  return /^-?\d+$/.test(token) && !Number.isSafeInteger(Number(token));
}

function closes(token: string, wants: string, open: string | undefined): boolean {
  if (token === "}") return open === "{" && (wants === "comma" || wants === "key or }");
  return token === "]" && open === "[" && (wants === "comma" || wants === "value or ]");
}

/** What to write instead of a text that is not JSON. */
function hintFor(found: string, wants: string): string | undefined {
  if (found.startsWith("'")) return "JSON has double quotes";
  if (found.startsWith('"')) return "the text has no end, or a character that must be escaped";
  if (wants === "value" && /^[A-Za-z_]/.test(found)) return "a text needs double quotes";
  if (/^[}\]]/.test(found)) return "is there a comma too many?";
  return wants.startsWith("key") && found !== "" ? "a key needs double quotes" : undefined;
}
