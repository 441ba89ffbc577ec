import type { CelFault } from "./cel.ts";
import { describeType } from "./types.ts";

/** Explains why an expression cannot be evaluated. */
export function explainFault({ code, summary }: CelFault): string {
  const overload = explainOverload(summary);
  if (overload !== undefined) return overload;
  const call = /no matching overload for '(?:(.*)\.)?(\w+)\((.*)\)'/.exec(summary);
  if (call) {
    const [, receiver, name, types] = call;
    const of = receiver === undefined ? "" : ` of ${describeTypes(receiver)}`;
    return `\`${name}\`${of} does not take ${describeTypes(types!)}`;
  }
  if (code === "too_many_steps") {
    return "the expression takes more than 10,000,000 steps: nest fewer macros or use shorter lists";
  }
  if (code === "limit_exceeded") return "the expression is too long: split it";
  if (code === "index_out_of_bounds") {
    const [, index, size] = /index (-?\d+) (?:< 0|>= size (\d+|undefined))/.exec(summary) ?? [];
    if (size === undefined) return `there is no item ${index}: a list begins at 0`;
    return `there is no item ${index}: the list ${sizeTitle(size)}`;
  }
  if (code === "no_such_key") {
    return summary.replace(/^No such key: ([^]*)$/, "the map has no `$1`");
  }
  if (code === "bool_conversion_error") {
    return summary.replace(/^.*?(".*")$/s, "$1 is neither true nor false");
  }
  return explainSyntaxError(summary) ?? summary.charAt(0).toLowerCase() + summary.slice(1);
}

function sizeTitle(size: string): string {
  // The library does not know the size of an empty list.
  if (size === "0" || size === "undefined") return "is empty";
  return size === "1" ? "has 1 item" : `has ${size} items`;
}

/** Explains a syntax error without the parser's names of tokens. */
function explainSyntaxError(summary: string): string | undefined {
  const expected = /^Expected ([A-Z]+), got ([A-Z]+)$/.exec(summary);
  if (expected) return `expected ${tokenTitle(expected[1]!)}, not ${tokenTitle(expected[2]!)}`;
  const token = /^Unexpected token: ([A-Z]+)$/.exec(summary)?.[1];
  if (token !== undefined) return `unexpected ${tokenTitle(token).replace(/^(the|a) /, "")}`;
  const character = /^Unexpected character: (.+)$/.exec(summary)?.[1];
  if (character === undefined) return undefined;
  return `unexpected \`${character.replace(/^'(.+)'$/, "$1")}\``;
}

function tokenTitle(token: string): string {
  return TOKEN_TITLES[token] ?? `\`${SYMBOLS[token] ?? token.toLowerCase()}\``;
}

const TOKEN_TITLES: Record<string, string> = {
  EOF: "the end of the expression",
  NUMBER: "a number",
  STRING: "a text",
  BYTES: "a text",
  BOOLEAN: "a boolean",
  IDENTIFIER: "a name",
};

const SYMBOLS: Record<string, string> = {
  ...{ PLUS: "+", MINUS: "-", MULTIPLY: "*", DIVIDE: "/", MODULO: "%" },
  ...{ EQ: "==", NE: "!=", LT: "<", LE: "<=", GT: ">", GE: ">=" },
  ...{ AND: "&&", OR: "||", NOT: "!", QUESTION: "?", COLON: ":", COMMA: ",", DOT: "." },
  ...{ LPAREN: "(", RPAREN: ")", LBRACKET: "[", RBRACKET: "]", LBRACE: "{", RBRACE: "}" },
};

/** Explains an operator between types it is not defined for, such as `int + string`. */
export function explainOverload(summary: string): string | undefined {
  const match = /no such overload: (.+?) (==|!=|<=|>=|<|>|in|[-+*/%]) (.+)$/.exec(summary);
  if (!match) return undefined;
  const [, left, operator, right] = match.map((text) => known(text));
  const numbers = [left, right].every((type) => /^(int|uint|double)$/.test(type!));
  const hint = numbers ? "; convert one with `int(…)` or `double(…)`, or write 1 as `1.0`" : "";
  const verb = /^([-+*/%]|in)$/.test(operator!) ? "cannot be applied to" : "cannot compare";
  return `\`${operator}\` ${verb} ${describeType(left!)} and ${describeType(right!)}${hint}`;
}

/** Describes the types of a call's arguments: `text and a whole number`. */
export function describeTypes(types: string): string {
  return types === "" ? "no argument" : types.split(", ").map((type) => describeType(known(type)))
    .join(" and ");
}

/** The type inside `dyn<int>`, which a value of unknown type has at run time. */
function known(type: string): string {
  return /^dyn<(.*)>$/.exec(type)?.[1] ?? type;
}

/** The offset at which the characters that match a pattern begin, going back from `end`. */
export function backWhile(text: string, end: number, pattern: RegExp): number {
  let start = end;
  while (start > 0 && pattern.test(text[start - 1]!)) start--;
  return start;
}

/** Says why a name that the checks know has no value: the text after the name. */
export function lacksValue(name: string): string {
  // `result` is the result of the very step that the expression belongs to.
  return `has no value: ${name === "result" ? "the step has no result" : "its step did not run"}`;
}
