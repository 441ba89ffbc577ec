import { isPlain } from "../expression/convert.ts";
import { className } from "../expression/inspect.ts";

/**
 * What in a value is no JSON, in words.
 *
 * @param path What the value is called: `vars.limit`.
 */
export function jsonProblem(
  value: unknown,
  path: string,
  around: readonly unknown[] = [],
): string | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `\`${path}\` must be JSON, not ${value}`;
    case "object":
      break;
    default:
      return `\`${path}\` must be JSON, not a ${typeof value}`;
  }
  if (value === null) return undefined;
  if (around.includes(value)) return `\`${path}\` must be JSON, and contains itself`;
  const within = [...around, value];
  if (Array.isArray(value)) {
    return first(value, (item, i) => jsonProblem(item, `${path}[${i}]`, within));
  }
  if (!isPlain(value)) return `\`${path}\` must be JSON, not a ${className(value)}`;
  return first(
    Object.entries(value),
    ([key, item]) => item === undefined ? undefined : jsonProblem(item, `${path}.${key}`, within),
  );
}

/** The first problem of a list's items. */
function first<T>(
  items: readonly T[],
  problem: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const found = problem(item, i);
    if (found !== undefined) return found;
  }
  return undefined;
}
