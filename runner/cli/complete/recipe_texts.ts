import { FileError, readTextFile } from "../../../runtime/file.ts";
import { findRecipeFiles } from "../load_recipes.ts";

/** How many recipes are read, and how long they may be, in bytes. */
const MAX_FILES = 500;
const MAX_BYTES = 1 << 18;

/** Names in recipes. */
export interface RecipeTexts {
  tags: string[];
  ids: string[];
  variables: string[];
  jobs: string[];
  workflows: string[];
  events: string[];
}

/**
 * Collects names from the texts of recipes: the files and directories that a command line names, or
 * those below the working directory. Recipes are neither parsed nor run, so those with a mistake
 * have names too, and nothing happens while the user types.
 */
export async function recipeTexts(named: readonly string[]): Promise<RecipeTexts> {
  const files = await findRecipeFiles(named.length > 0 ? named : ["."]);
  const texts = await Promise.all(files.slice(0, MAX_FILES).map(readQuietly));
  const all = (find: (text: string) => string[]) => [...new Set(texts.flatMap(find))];
  return {
    tags: all(tagsIn),
    ids: all((text) => matches(text, /^\s*(?:-\s+)?id:\s*["']?([\w-]+)/gm)),
    variables: all(variablesIn),
    jobs: all((text) => namesAfter("enqueue", text)),
    workflows: all((text) => namesAfter("start", text)),
    events: all((text) => namesAfter("publish", text)),
  };
}

async function readQuietly(file: string): Promise<string> {
  try {
    return await readTextFile(file, "recipe", MAX_BYTES);
  } catch (error) {
    if (error instanceof FileError) return "";
    throw error;
  }
}

/** `tags: [a, b]` in YAML and TypeScript, and a list with a line for each. */
function tagsIn(text: string): string[] {
  const inline = matches(text, /\btags:\s*\[([^\]]*)\]/g).flatMap((list) => list.split(","));
  const block = matches(text, /^tags:[ \t]*\n((?:[ \t]*-[ \t].*\n?)+)/gm)
    .flatMap((lines) => matches(lines, /-[ \t]+(.*)/g));
  return [...inline, ...block]
    .map((tag) => tag.replace(/\s#.*$/, "").trim().replaceAll(/^["']|["']$/g, ""))
    .filter((tag) => tag !== "");
}

/** The keys of `vars`, which are indented less than what is in them. */
function variablesIn(text: string): string[] {
  const [block = ""] = matches(text, /^vars:.*\n((?:[ \t]+.*\n|[ \t]*\n|#.*\n)*)/gm);
  const [, indent = ""] = /^([ \t]+)\S/m.exec(block) ?? [];
  return indent === "" ? [] : matches(block, new RegExp(`^${indent}([\\w-]+):`, "gm"));
}

/** The names of a step in YAML, `start: order`, and in TypeScript, `t.start("order"`. */
function namesAfter(kind: string, text: string): string[] {
  return [
    ...matches(text, new RegExp(`^\\s*(?:-\\s+)?${kind}:\\s*["']?([\\w.-]+)`, "gm")),
    ...matches(text, new RegExp(`\\.${kind}\\(\\s*["'\`]([\\w.-]+)`, "g")),
  ];
}

function matches(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), ([, found]) => found!);
}
