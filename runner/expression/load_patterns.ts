/** The functions for regular expressions. */
export type Patterns = typeof import("./pattern.ts");

let loading: Promise<Patterns> | undefined;
let loaded: Patterns | undefined;

/** Loads regular expressions on the first call. */
export async function loadPatterns(): Promise<Patterns> {
  return loaded = await (loading ??= import("./pattern.ts"));
}

/** The functions for regular expressions, which must have been loaded. */
export function patterns(): Patterns {
  if (!loaded) throw new Error("Cannot use a regular expression before `loadPatterns()`");
  return loaded;
}
