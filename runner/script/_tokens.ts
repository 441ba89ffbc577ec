import type { Span } from "../language/source.ts";

/** A part of JavaScript or TypeScript: a name, a text or number, or a sign. */
export interface Token extends Span {
  /** A template with expressions and a regular expression are `other`. */
  kind: "name" | "text" | "number" | "sign" | "other";
  /** How it is written. */
  raw: string;
  /** The value of a text or number. */
  value?: string | number;
}

const SPACE = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const NAME = /[\p{ID_Start}$_#][\p{ID_Continue}$]*/uy;
const NUMBER = /\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?\b/y;
const TEXT = /"(?:[^"\\\n]|\\[^])*"|'(?:[^'\\\n]|\\[^])*'|`(?:[^`\\$]|\\[^]|\$(?!\{))*`/y;
const REGEXP = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;
/** What a regular expression can follow; after anything else `/` divides. */
const BEFORE_REGEXP = /^(?:[^\w\s)\]}"'`$]|=>|return|case|await|typeof|in|of|yield)$/;

/** Splits the text of a module from an offset on, without spaces and comments. */
export function* tokens(text: string, from = 0): Generator<Token> {
  let at = from;
  let before = "";
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  while (at < text.length) {
    const space = match(SPACE);
    if (space !== undefined) {
      at += space.length;
      continue;
    }
    const token = read();
    yield token;
    before = token.raw;
    at = token.end;
  }

  function read(): Token {
    const token = (kind: Token["kind"], raw: string, value?: string | number): Token => ({
      ...{ kind, raw, start: at, end: at + raw.length },
      ...(value === undefined ? {} : { value }),
    });
    const name = match(NAME);
    if (name !== undefined) return token("name", name);
    const number = match(NUMBER);
    if (number !== undefined) return token("number", number, Number(number.replaceAll("_", "")));
    const quoted = match(TEXT);
    if (quoted !== undefined) {
      const value = textOf(quoted);
      return value === undefined ? token("other", quoted) : token("text", quoted, value);
    }
    if (text[at] === "`") return token("other", text.slice(at, endOfTemplate(text, at)));
    const isRegExp = text[at] === "/" && (before === "" || BEFORE_REGEXP.test(before));
    const pattern = isRegExp ? match(REGEXP) : undefined;
    if (pattern !== undefined) return token("other", pattern);
    return token("sign", text.startsWith("=>", at) ? "=>" : text[at]!);
  }
}

/** The value of a text with simple escapes. */
function textOf(quoted: string): string | undefined {
  const inner = quoted.slice(1, -1);
  if (!inner.includes("\\")) return inner;
  const escaped = inner.replaceAll(/\\?"/g, '\\"').replaceAll(/\\(['`$])/g, "$1");
  try {
    return JSON.parse(`"${escaped}"`) as string;
  } catch {
    // It is written in a way that JSON does not have, so it is not known here.
    return undefined;
  }
}

/** The end of a template, behind the expressions in it. */
function endOfTemplate(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== "`") {
    if (text[at] === "\\") at += 2;
    else if (text.startsWith("${", at)) at = endOfExpression(text, at + 2);
    else at++;
  }
  return Math.min(at + 1, text.length);
}

function endOfExpression(text: string, start: number): number {
  let depth = 1;
  for (const { raw, end } of tokens(text, start)) {
    if (raw === "{") depth++;
    if (raw === "}" && --depth === 0) return end;
  }
  return text.length;
}
