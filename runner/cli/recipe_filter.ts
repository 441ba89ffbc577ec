import { loadPatterns } from "../expression/load_patterns.ts";
import { type OptionSpecs, type ParsedArgs, UsageError } from "./args.ts";

/** The options that filter recipes. */
export const RECIPE_FILTER_OPTIONS: OptionSpecs = {
  tag: {
    value: "TAG",
    repeat: true,
    description: "Only recipes with this tag, or one of several; !TAG excludes a tag.",
  },
  grep: {
    value: "TEXT",
    description: "Only recipes whose name contains TEXT or matches /REGEX/.",
  },
};

/** The recipes, or what else has their name and tags, that pass `--tag` and `--grep`. */
export async function filterRecipes<T extends { name: string; tags: readonly string[] }>(
  recipes: readonly T[],
  args: ParsedArgs,
): Promise<T[]> {
  const tags = args.lists.tag ?? [];
  const included = tags.filter((tag) => !tag.startsWith("!"));
  const excluded = tags.filter((tag) => tag.startsWith("!")).map((tag) => tag.slice(1));
  const matches = await nameFilter(args.values.grep);
  return recipes.filter((recipe) =>
    (included.length === 0 || included.some((tag) => recipe.tags.includes(tag))) &&
    !excluded.some((tag) => recipe.tags.includes(tag)) && matches(recipe.name)
  );
}

async function nameFilter(grep: string | undefined): Promise<(name: string) => boolean> {
  if (grep === undefined) return () => true;
  const pattern = /^\/(.*)\/(i?)$/.exec(grep);
  if (!pattern) return (name) => name.includes(grep);
  let regex: RegExp;
  try {
    regex = new RegExp(pattern[1]!, pattern[2]);
  } catch (cause) {
    throw new UsageError(
      `--grep must be text or a regular expression: ${(cause as Error).message}`,
    );
  }
  const [{ matchesPattern }, { regexpProblem, toRe2 }] = await Promise.all([
    loadPatterns(),
    import("../expression/regexp.ts"),
  ]);
  // JavaScript's own engine could block the process.
  const problem = regexpProblem(regex);
  if (problem !== undefined) {
    throw new UsageError(`--grep takes the regular expressions of RE2: ${problem}`);
  }
  return (name) => matchesPattern(toRe2(regex), name);
}
