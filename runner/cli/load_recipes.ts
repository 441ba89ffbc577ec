import { FileError, listDirectory, pathKind, readTextFile } from "../../runtime/file.ts";
import { type Diagnostic, distinct } from "../language/diagnostic.ts";
import type { Recipe } from "../language/model.ts";
import { MAX_BYTES } from "../language/yaml.ts";
import { readRecipe } from "../recipe/read_recipe.ts";
import { Source } from "../language/source.ts";
import type { RecipeLoader } from "../recipe/used_recipes.ts";
import type { CommandContext } from "./command.ts";

/** The result of {@linkcode loadRecipes}. */
export interface LoadedRecipes {
  /** The recipes without errors. */
  recipes: Recipe[];
  /** The errors and warnings, file by file. */
  diagnostics: Diagnostic[];
  /** The files that were read. */
  files: string[];
  /** The files that recipes name in `cases`. */
  casesFiles: string[];
  /** The files that modules with recipes import by relative paths. */
  imports: string[];
  /** The files that the command line names itself, rather than their directory. */
  named: ReadonlySet<string>;
}

/** Finds recipe files: the paths that are files, and the recipes in those that are directories. */
export async function findRecipeFiles(paths: readonly string[]): Promise<string[]> {
  const files = await Promise.all(paths.map((path) =>
    recipeFiles(path).catch((error) => {
      if (error instanceof FileError) return [];
      throw error;
    })
  ));
  return [...new Set(files.flat())];
}

/** The part of a command's context that loading recipes needs. */
export type LoadContext = Pick<CommandContext, "guard" | "signal">;

/** Reads and checks the recipes that paths name: files, and all recipes in directories. */
export async function loadRecipes(
  paths: readonly string[],
  context: LoadContext,
): Promise<LoadedRecipes> {
  const loaded: LoadedRecipes = {
    recipes: [],
    diagnostics: [],
    files: [],
    casesFiles: [],
    imports: [],
    named: new Set(paths),
  };
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...(await recipeFiles(path)));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      loaded.diagnostics.push(unreadable(path, error));
    }
  }
  loaded.files = [...new Set(files)];
  const texts = loaded.files.map((path) => isScript(path) ? undefined : readRecipeText(path));
  // To read all of them first is faster than to parse one while the next is read.
  await Promise.allSettled(texts);
  const loading = loaded.files.map((path, i) => loadRecipe(path, texts[i], context));
  const results = await Promise.all(loading);
  loaded.casesFiles = results.flatMap(({ casesFile }) => casesFile ?? []);
  loaded.imports = results.flatMap(({ imports = [] }) => imports);
  const rows = new Set(loaded.casesFiles.map(withoutDots));
  // A directory can have the rows of a recipe beside it, in YAML too.
  const isRecipe = (path: string) => !rows.has(withoutDots(path)) || loaded.named.has(path);
  for (const [i, { recipes, diagnostics }] of results.entries()) {
    if (!isRecipe(loaded.files[i]!)) continue;
    loaded.diagnostics.push(...diagnostics);
    loaded.recipes.push(...recipes);
  }
  loaded.files = loaded.files.filter(isRecipe);
  loaded.diagnostics = distinct(loaded.diagnostics);
  return loaded;
}

/** The recipes of a file, if it has no errors. */
interface LoadedFile {
  recipes: Recipe[];
  diagnostics: Diagnostic[];
  /** The file that it names in `cases`. */
  casesFile?: string;
  /** The files that it imports. */
  imports?: string[];
}

/** Whether a file is a module with recipes. */
function isScript(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

function readRecipeText(path: string): Promise<string> {
  return readTextFile(path, "recipe", MAX_BYTES);
}

async function loadRecipe(
  path: string,
  text: Promise<string> | undefined,
  { guard, signal }: LoadContext,
): Promise<LoadedFile> {
  try {
    if (text === undefined) {
      const [{ loadScript }, { provideOwnPackage }] = await Promise.all([
        import("../script/load_script.ts"),
        import("./own_package.ts"),
      ]);
      await provideOwnPackage(path);
      guard?.start();
      return await loadScript(path, { signal, onError: (error) => guard?.take(error) });
    }
    const read = await readRecipe(path, await text, loader);
    const { recipe, diagnostics } = read;
    if (recipe?.cases) return await withRows(recipe, diagnostics);
    return { recipes: recipe ? [recipe] : [], diagnostics };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { recipes: [], diagnostics: [unreadable(path, error)] };
  }
}

/** Reads the file of a recipe's `cases`. */
async function withRows(
  recipe: Recipe,
  diagnostics: Diagnostic[],
): Promise<LoadedFile> {
  const { readCases } = await import("./cases/read_cases.ts");
  const path = casesFileOf(recipe)!;
  const { rows, diagnostics: ofRows } = await readCases(recipe, path);
  const all = [...diagnostics, ...ofRows];
  if (ofRows.some(({ severity }) => severity === "error")) {
    return { recipes: [], diagnostics: all, casesFile: path };
  }
  return { recipes: [{ ...recipe, rows }], diagnostics: all, casesFile: path };
}

const loader: RecipeLoader = {
  async load(path, from) {
    const name = resolvePath(path, from);
    return { name, text: await readRecipeText(name) };
  },
};

/** The file of a recipe's `cases`, if it has one. */
export function casesFileOf({ cases, source }: Recipe): string | undefined {
  return cases && resolvePath(cases.path, source.name);
}

/** Resolves a path relative to the file that names it. */
export function resolvePath(path: string, from: string): string {
  if (/^([\\/]|[A-Za-z]:)/.test(path)) return path;
  const parts = from.split(/[\\/]/).slice(0, -1);
  for (const part of path.split(/[\\/]/)) {
    if (part === "..") {
      if (parts.length === 0 || parts.at(-1) === "..") parts.push(part);
      else parts.pop();
    } else if (part !== ".") {
      parts.push(part);
    }
  }
  return parts.join("/");
}

/** Writes a path in one way: `./a/../b.yaml` is `b.yaml`. */
function withoutDots(path: string): string {
  return /(^|[\\/])\./.test(path) ? resolvePath(path, "") : path;
}

/** Whether a path has the name of a recipe, so that it is found in a directory. */
export function isRecipeName(path: string): boolean {
  return /\.ya?ml$|\.recipe\.[cm]?[jt]s$/.test(path);
}

/** Whether a name in a directory is skipped, together with what is below it. */
export function isSkippedName(name: string): boolean {
  return name.startsWith(".") || name === "node_modules" || name === "node_modules/";
}

/** The path itself, or the recipes in a directory and its subdirectories. */
async function recipeFiles(path: string): Promise<string[]> {
  // The usual case needs no file system call; reading the file reports that it does not exist.
  if (/\.(ya?ml|[cm]?[jt]s)$/.test(path)) return [path];
  if (await pathKind(path) !== "directory") return [path];
  const base = path.replace(/[\\/]+$/, "");
  const found: string[] = [];
  for (const name of await listDirectory(base)) {
    if (isSkippedName(name)) continue;
    if (name.endsWith("/")) found.push(...(await recipeFiles(`${base}/${name}`)));
    else if (isRecipeName(name)) found.push(`${base}/${name}`);
  }
  return found;
}

function unreadable(path: string, { code, message }: FileError): Diagnostic {
  return {
    code: code === "EFBIG" ? "too-large" : "cannot-read",
    severity: "error",
    message,
    source: new Source(path, ""),
    span: { start: 0, end: 0 },
  };
}
