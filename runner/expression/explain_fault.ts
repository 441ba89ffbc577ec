import type { CelFault } from "./cel.ts";
import { describeType } from "./types.ts";

/** What the expression language says of a value it cannot work out, in the words of recipes. */
export function explainFault({ code, summary }: CelFault): string {
  const overload = explainOverload(summary);
  if (overload !== undefined) return overload;
  const call = /no matching overload for '(?:(.*)\.)?(\w+)\((.*)\)'/.exec(summary);
  if (call) {
    const [, receiver, name, types] = call;
    const of = receiver === undefined ? "" : ` of ${describeTypes(receiver)}`;
    return `\`${name}\`${of} does not take ${describeTypes(types!)}`;
  }
  if (code === "limit_exceeded") return "it is too long; make several of it";
  if (code === "index_out_of_bounds") return summary.replace("No such key: ", "");
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}

/** `int + string` and the like, where that is what is wrong. */
export function explainOverload(summary: string): string | undefined {
  const match = /no such overload: (.+?) (==|!=|<=|>=|<|>|in|[-+*/%]) (.+)$/.exec(summary);
  if (!match) return undefined;
  const [, left, operator, right] = match.map((text) => known(text));
  const numbers = [left, right].every((type) => /^(int|uint|double)$/.test(type!));
  const hint = numbers ? "; convert one with `int(…)` or `double(…)`, or write `1.0` for 1" : "";
  return `\`${operator}\` does not take ${describeType(left!)} and ${describeType(right!)}${hint}`;
}

/** The types of a call's arguments, in words. */
export function describeTypes(types: string): string {
  return types === "" ? "no argument" : types.split(", ").map((type) => describeType(known(type)))
    .join(" and ");
}

/** A value of any type has one all the same when it is there: `dyn<int>`. */
function known(type: string): string {
  return /^dyn<(.*)>$/.exec(type)?.[1] ?? type;
}

/** The first offset from which on all characters before `end` match a pattern of one character. */
export function backWhile(text: string, end: number, pattern: RegExp): number {
  let start = end;
  while (start > 0 && pattern.test(text[start - 1]!)) start--;
  return start;
}
