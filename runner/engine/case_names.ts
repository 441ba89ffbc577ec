import type { Recipe } from "../language/model.ts";

/** The parts of a case that name it. */
export interface NamedCase {
  recipe: Recipe;
  matrix?: Record<string, unknown>;
  row?: string;
}

/** Returns the name of a case: that of its recipe, its row, and the values of its matrix. */
export function caseName({ recipe, matrix, row }: NamedCase): string {
  if (!matrix) return row === undefined ? recipe.name : `${recipe.name} [${row}]`;
  const values = Object.entries(matrix).map(([key, value]) => `${key}=${showValue(value)}`);
  return `${recipe.name} [${[...row === undefined ? [] : [row], ...values].join(", ")}]`;
}

/**
 * Returns the names of the cases of a run. Cases of one file that would share a name, such as those
 * of `--repeat`, are numbered, because readers of reports know a case by its file and name.
 */
export function uniqueCaseNames(cases: readonly NamedCase[]): string[] {
  const keys = cases.map((one) => `${one.recipe.source.name}\n${caseName(one)}`);
  const taken = new Set(keys);
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  const last = new Map<string, number>();
  return keys.map((key, i) => {
    const name = caseName(cases[i]!);
    if (counts.get(key) === 1) return name;
    let number = last.get(key) ?? 0;
    do number++; while (taken.has(`${key} (${number})`));
    last.set(key, number);
    return `${name} (${number})`;
  });
}

/** Returns text as it is, unless it could be taken for another value: `1` is a number, `"1"` text. */
function showValue(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  try {
    JSON.parse(value);
  } catch (_error) {
    return value;
  }
  return JSON.stringify(value);
}
