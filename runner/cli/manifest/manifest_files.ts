import { dirname, relative, resolve, sep } from "node:path";
import { FileError, readDataFile } from "../../../runtime/file.ts";
import type { Recipe } from "../../language/model.ts";
import { findModule, importsOf, isModule, isRelative } from "../../script/local_imports.ts";
import { withUsed } from "../../recipe/used_recipes.ts";
import { UsageError } from "../args.ts";
import { leaveOutUsed } from "../left_out.ts";
import { isRecipeName, isSkippedName, type LoadedRecipes, resolvePath } from "../load_recipes.ts";
import { type RecipeFile, type RecipeFiles, RECIPES } from "./kubernetes_objects.ts";

/** The most bytes of a file that is read for a ConfigMap, which may have 1 MiB together. */
const MAX_BYTES = 1 << 20;

/** What every image has. */
const PROVIDED = /^(node:|@dispatch\/sdk($|\/))/;

/** The files of recipes, with what else is known about them. */
export interface ManifestFiles extends RecipeFiles {
  /** What the reader has to know about files that are not there. */
  warnings: string[];
  /** Returns the path of a file below the directory of all files. */
  pathOf(file: string): string;
}

/**
 * Collects recipes and all files that they name: recipes that they use, rows of `cases`, and modules
 * that they import.
 *
 * @throws {UsageError} When a file cannot be read.
 */
export async function manifestFiles(loaded: LoadedRecipes): Promise<ManifestFiles> {
  const all = [...withUsed(loaded.recipes)];
  const texts = new Map(all.map(({ source: { name, text } }) => [name, text]));
  for (const file of loaded.casesFiles) texts.set(file, await read(file, "the file of `cases`"));
  const scripts = new Set(all.filter(({ script }) => script).map(({ source }) => source.name));
  const others = await addImports(scripts, texts);
  const base = commonDirectory([...texts.keys()]);
  const pathOf = (file: string) => relative(base, resolve(file)).replaceAll(sep, "/");
  // A file can be named in several ways.
  const byPath = new Map(Array.from(texts, ([name, text]) => [pathOf(name), text]));
  const files = Array.from(byPath, ([path, text]) => ({ path, text }));
  return {
    files,
    paths: pathsOf(files, loaded, pathOf),
    warnings: warningsOf(scripts, others),
    pathOf,
  };
}

/** Adds the modules that modules import, directly or indirectly; returns what is not found. */
async function addImports(
  scripts: Iterable<string>,
  texts: Map<string, string>,
): Promise<Map<string, string>> {
  const others = new Map<string, string>();
  const modules = new Set(scripts);
  // The loop also visits modules that are added while it runs.
  for (const module of modules) {
    for (const specifier of importsOf(texts.get(module)!)) {
      if (PROVIDED.test(specifier)) continue;
      const file = isRelative(specifier)
        ? await findModule(resolvePath(specifier, module))
        : undefined;
      if (file === undefined) others.set(specifier, module);
      else if (!texts.has(file)) texts.set(file, await read(file, `which '${module}' imports`));
      if (file !== undefined && isModule(file)) modules.add(file);
    }
  }
  return others;
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readDataFile(file, "file", MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new UsageError(
      `Cannot put '${file}', ${what}, into a ConfigMap: ${reasonOf(error)}; use an image`,
    );
  }
}

function reasonOf({ message }: FileError): string {
  return message.slice(message.indexOf("': ") + 3);
}

function warningsOf(scripts: ReadonlySet<string>, others: ReadonlyMap<string, string>): string[] {
  if (scripts.size === 0) return [];
  return [
    "of recipes in TypeScript the ConfigMap has the files that they import, but not those that they read",
    ...Array.from(
      others,
      ([specifier, file]) =>
        isRelative(specifier)
          ? `'${file}' seems to import '${specifier}', which was not found`
          : `'${file}' imports '${specifier}', which the image must have`,
    ),
  ];
}

/**
 * Returns what runs the same recipes in a container. It names directories if that is what they have;
 * else it names each recipe, for instance because others are only used by it.
 */
function pathsOf(
  files: readonly RecipeFile[],
  loaded: LoadedRecipes,
  pathOf: (file: string) => string,
): string[] {
  const names = (recipes: readonly Recipe[]) =>
    new Set(recipes.map(({ source }) => pathOf(source.name)));
  const recipes = names(loaded.recipes);
  const rows = new Set(loaded.casesFiles.map(pathOf));
  const found = files.map(({ path }) => path).filter((path) =>
    isRecipeName(path) && !rows.has(path) && !path.split("/").some(isSkippedName)
  );
  if (found.length !== recipes.size || !found.every((path) => recipes.has(path))) {
    return Array.from(names(leaveOutUsed(loaded).recipes), (path) => `${RECIPES}/${path}`);
  }
  // In the volume of a ConfigMap directories are symbolic links, which are followed when named only.
  const below = found.flatMap((path) => path.includes("/") ? path.split("/", 1) : []);
  return [RECIPES, ...[...new Set(below)].map((name) => `${RECIPES}/${name}`)];
}

/** The innermost directory that has all files. */
function commonDirectory(files: readonly string[]): string {
  const [first, ...others] = files.map((file) => dirname(resolve(file)).split(sep));
  const isShared = (part: string, i: number) => others.every((other) => other[i] === part);
  const end = first!.findIndex((part, i) => !isShared(part, i));
  return first!.slice(0, end === -1 ? undefined : end).join(sep) || sep;
}
