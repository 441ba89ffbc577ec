import { runtimeName } from "../../runtime/process.ts";

const PACKAGE = "@dispatch/sdk";

/** The entry points that recipes and files of definitions import. */
const ENTRIES = [PACKAGE, `${PACKAGE}/dev`, `${PACKAGE}/runner`, `${PACKAGE}/testing`];

/** What is used of Bun. */
interface Bun {
  resolveSync(specifier: string, directory: string): string;
  plugin(plugin: { name: string; setup(build: Build): void }): void;
}

/** What is used of the builder that Bun passes to a plugin. */
interface Build {
  module(specifier: string, load: () => Promise<{ exports: unknown; loader: "object" }>): void;
}

/** Loads an entry point, by its name. */
export type EntryLoaders = Readonly<Record<string, () => Promise<unknown>>>;

/** Loads the entry points that an executable brings with it. */
let embedded: EntryLoaders | undefined;
/** The entry points that this process provides on Bun. */
const provided = new Set<string>();
let hook: Promise<void> | undefined;

/**
 * Makes users' files get the entry points that were compiled into the executable, also where a copy
 * of this package is installed: that one's recipes would not be recipes of this runner.
 */
export function embedOwnPackage(loaders: EntryLoaders): void {
  embedded = loaders;
}

/**
 * Lets a user's file import this package although it is not installed where the file is: it then
 * gets the copy that runs. A copy that is installed there comes first, except in an executable. Deno
 * needs no help: there the import map of a clone applies to all files, and others write
 * `jsr:@dispatch/sdk/dev`.
 *
 * @param file The path of the file that is loaded next.
 */
export async function provideOwnPackage(file: string): Promise<void> {
  const runtime = runtimeName();
  if (runtime === "bun") provideOnBun(file);
  if (runtime === "node") await (hook ??= provideOnNode());
}

async function provideOnNode(): Promise<void> {
  const { registerHooks } = await import("node:module");
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        const isMissing = (error as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND";
        if (!isMissing || !ENTRIES.includes(specifier)) throw error;
        return { url: import.meta.resolve(specifier), shortCircuit: true };
      }
    },
  });
}

function provideOnBun(file: string): void {
  const { Bun } = globalThis as unknown as { Bun: Bun };
  const directory = file.replace(/[^\\/]*$/, "") || ".";
  const missing = ENTRIES.filter((entry) =>
    !provided.has(entry) && (embedded !== undefined || !resolves(Bun, entry, directory))
  );
  if (missing.length === 0) return;
  Bun.plugin({
    name: PACKAGE,
    setup(build) {
      for (const entry of missing) {
        provided.add(entry);
        const load = embedded?.[entry] ?? (() => import(import.meta.resolve(entry)));
        build.module(entry, async () => ({ exports: await load(), loader: "object" }));
      }
    },
  });
}

function resolves(bun: Bun, specifier: string, directory: string): boolean {
  try {
    bun.resolveSync(specifier, directory);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ERR_MODULE_NOT_FOUND") throw error;
    return false;
  }
}
