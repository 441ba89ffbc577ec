import { isPlain } from "../expression/convert.ts";
import { className } from "../expression/inspect.ts";

/**
 * Explains why a value is not JSON, or returns `undefined` if it is.
 *
 * @param path The value's name in the message, such as `vars.limit`.
 * @param around The values that contain it.
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
  if (around.includes(value)) return `\`${path}\` must be JSON and contains itself`;
  const within = [...around, value];
  if (Array.isArray(value)) {
    return firstProblem(value, (item, i) => jsonProblem(item, `${path}[${i}]`, within));
  }
  if (!isPlain(value)) return `\`${path}\` must be JSON, not a ${className(value)}`;
  return firstProblem(
    Object.entries(value),
    ([key, item]) => item === undefined ? undefined : jsonProblem(item, `${path}.${key}`, within),
  );
}

function firstProblem<T>(
  items: readonly T[],
  problemOf: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [i, item] of items.entries()) {
    const problem = problemOf(item, i);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
