import { pathToFileURL } from "node:url";
import { readTextFile, resolvedPath } from "../../runtime/file.ts";
import { currentDirectory, runtimeName } from "../../runtime/process.ts";
import { isRunnerFile, pathOf } from "../events/call_site.ts";
import { findModule, importsOf, isModule, isRelative } from "./local_imports.ts";

/** A module that was loaded. */
interface Loaded {
  /** Its text and those of all that it imports. */
  text: string;
  /** How often that has changed. */
  version: number;
}

/** What is used of Bun. */
interface Bun {
  resolveSync(specifier: string, directory: string): string;
  plugin(plugin: { name: string; setup(build: Build): void }): void;
}

/** What is used of the builder that Bun passes to a plugin. */
interface Build {
  onResolve(
    options: { filter: RegExp },
    resolve: (args: { path: string; importer: string }) => { path: string } | undefined,
  ): void;
}

/** The modules by their paths. */
const loaded = new Map<string, Loaded>();
let isHooked = false;

/** A user's module that is loaded next. */
export interface VersionedModule {
  /** Its path without symbolic links. */
  path: string;
  /** How often it or what it imports has changed since it was loaded first. */
  version: number;
  /** The files that it imports by relative paths, directly or not; also those that are missing. */
  imports: string[];
}

/**
 * Looks which of the modules that a module imports by relative paths have changed since they were
 * loaded. Runtimes load each address once; so such a module, and those that import it, get a new one
 * when they are imported next.
 *
 * @param known The module's text, if it was read.
 */
export async function versionModules(path: string, known?: string): Promise<VersionedModule> {
  const named = pathOf(new URL(path, `file://${currentDirectory()}/`).href);
  // Node and Bun remember where links lead; those in the volume of a ConfigMap lead elsewhere later.
  const main = resolvedPath(named) ?? named;
  const modules = await readImports(main, known ?? await textOf(main));
  const imports: string[] = [];
  let hasChanged = false;
  for (const file of modules.keys()) {
    const all = textWithImports(file, modules);
    const last = loaded.get(file);
    const version = last === undefined ? 0 : last.version + (last.text === all ? 0 : 1);
    const link = linkTo(file, main, named);
    const real = resolvedPath(file) ?? file;
    for (const one of [file, link, real]) loaded.set(one, { text: all, version });
    if (file !== main) imports.push(link);
    hasChanged ||= version > 0;
  }
  if (hasChanged && !isHooked) {
    isHooked = true;
    if (runtimeName() === "bun") hookBun();
    else await hookNode();
  }
  return { path: main, version: loaded.get(main)!.version, imports };
}

/** Returns the path of a file beside the name of a module, if a link there leads to it. */
function linkTo(file: string, main: string, named: string): string {
  const [directory, below] = [main, named].map((path) => path.replace(/[^\\/]*$/, "")) as [
    string,
    string,
  ];
  const link = file.startsWith(directory) ? below + file.slice(directory.length) : file;
  return link !== file && resolvedPath(link) === file ? link : file;
}

/** The text of a module, and the files that it imports. */
interface ModuleText {
  text: string;
  imports: string[];
}

/** Reads all modules that a module imports. */
async function readImports(main: string, text: string): Promise<Map<string, ModuleText>> {
  const modules = new Map([[main, { text, imports: [] as string[] }]]);
  // The loop also visits modules that are added while it runs.
  for (const [file, { text, imports }] of modules) {
    if (!isModule(file)) continue;
    const base = pathToFileURL(file);
    for (const specifier of importsOf(text).filter(isRelative)) {
      const path = pathOf(new URL(specifier, base).href);
      const found = await findModule(path).catch(() => undefined) ?? path;
      if (isRunnerFile(found)) continue;
      imports.push(found);
      if (modules.has(found)) continue;
      modules.set(found, { text: await textOf(found), imports: [] });
    }
  }
  return modules;
}

/** The text of a module; it is empty if it cannot be read, which the runtime says better. */
async function textOf(file: string): Promise<string> {
  return await readTextFile(file, "module").catch(() => "");
}

/** The texts of a module and of all that it imports. */
function textWithImports(main: string, modules: ReadonlyMap<string, ModuleText>): string {
  const found = new Set([main]);
  for (const file of found) for (const other of modules.get(file)!.imports) found.add(other);
  return JSON.stringify([...found].map((file) => [file, modules.get(file)!.text]));
}

function versionAt(path: string): number {
  return loaded.get(path)?.version ?? 0;
}

/** Adds the version to the addresses of modules on Node and Deno. */
async function hookNode(): Promise<void> {
  const { registerHooks } = await import("node:module");
  // Older versions of Deno have none: there only the recipe itself is loaded anew.
  registerHooks?.({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const isPlain = found.url.startsWith("file:") && !found.url.includes("?");
      const version = isPlain ? versionAt(pathOf(found.url)) : 0;
      return version > 0 ? { ...found, url: `${found.url}?version=${version}` } : found;
    },
  });
}

/** Adds the version to the paths of modules on Bun. */
function hookBun(): void {
  const { Bun } = globalThis as unknown as { Bun: Bun };
  let isResolving = false;
  Bun.plugin({
    name: "versions of modules",
    setup(build) {
      build.onResolve({ filter: /^\.{1,2}\// }, ({ path: specifier, importer }) => {
        // To resolve it here calls this again.
        if (isResolving) return undefined;
        isResolving = true;
        try {
          const directory = importer.replace(/\?version=\d+$/, "").replace(/[^\\/]*$/, "");
          const path = Bun.resolveSync(specifier, directory);
          const version = versionAt(path);
          return version > 0 ? { path: `${path}?version=${version}` } : undefined;
        } catch {
          // Bun itself says best what is missing.
          return undefined;
        } finally {
          isResolving = false;
        }
      });
    },
  });
}
