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
  if (code === "limit_exceeded") return "the expression is too long: split it";
  if (code === "index_out_of_bounds") return summary.replace("No such key: ", "");
  return summary.charAt(0).toLowerCase() + summary.slice(1);
}

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
