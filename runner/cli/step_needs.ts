import { freeNames } from "../expression/ast.ts";
import { Expression } from "../expression/expression.ts";
import type { Step } from "../language/model.ts";

/** The names a step looks up: ids of earlier steps among them. */
export function namesIn(step: Step): Set<string> {
  const names = new Set<string>();
  const { kind: _, ...rest } = step;
  collect(rest, names);
  return names;
}

function collect(value: unknown, names: Set<string>): void {
  if (value instanceof Expression) {
    for (const { name } of freeNames(value.ast)) names.add(name);
  } else if (value instanceof Map) {
    for (const item of value.values()) collect(item, names);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, names);
  } else if (typeof value === "object" && value !== null) {
    const { step, recipe: _, ...rest } = value as { step?: unknown; recipe?: unknown };
    if (typeof step === "string") names.add(step);
    else collect(step, names);
    for (const item of Object.values(rest)) collect(item, names);
  }
}
