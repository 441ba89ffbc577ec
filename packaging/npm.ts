import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { npmManifest } from "./npm_manifest.ts";

/** The project's folder. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the package is built. Git ignores it. */
export const NPM_DIRECTORY: string = join(ROOT, "dist", "npm");

/** Files that go into the package as they are. */
const TEXTS = ["README.md", "LICENSE", "CHANGELOG.md"];

/**
 * Builds the npm package into a directory, which it empties first: JavaScript and declarations for
 * each module that the entry points use, the program, package.json and some texts.
 *
 * There are no source maps: the JavaScript keeps names, comments and the order of everything, so a
 * stack trace can be read without them.
 */
export function buildNpm(directory: string = NPM_DIRECTORY): void {
  const { manifest, entries, program } = npmManifest(
    JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")),
  );
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  compile(entries, directory);
  for (const entry of entries) declareLibrary(join(directory, entry.replace(/\.ts$/, ".d.ts")));
  const source = readFileSync(join(ROOT, program), "utf8");
  writeFileSync(join(directory, program), withCompiledImports(source));
  for (const file of TEXTS) cpSync(join(ROOT, file), join(directory, file));
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest, undefined, 2) + "\n");
}

/** Compiles modules, and all that they import, with TypeScript. `deno task check` has checked them. */
function compile(entries: readonly string[], directory: string): void {
  // Beside the sources, because TypeScript looks for packages from where the configuration is.
  const config = join(ROOT, ".tsconfig.npm.json");
  writeFileSync(
    config,
    JSON.stringify({
      compilerOptions: {
        target: "esnext",
        module: "nodenext",
        lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
        types: [],
        rootDir: ROOT,
        outDir: directory,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
        strict: true,
        stripInternal: true,
        noCheck: true,
        newLine: "lf",
      },
      files: entries,
    }),
  );
  try {
    const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
    const { status, error, stdout, stderr } = spawnSync("node", [compiler, "-p", config], {
      cwd: ROOT,
      encoding: "utf8",
    });
    if (error) throw new Error(`Cannot build the npm package: ${error.message}`, { cause: error });
    if (status === 0) return;
    throw new Error(
      `Cannot build the npm package: TypeScript failed; is it installed?\n${stdout}${stderr}`,
    );
  } finally {
    rmSync(config, { force: true });
  }
}

/**
 * Names the library of TypeScript that the declarations need, so that a program compiles whatever
 * its target is: without it, there are no disposables before ES2026.
 */
function declareLibrary(declarations: string): void {
  const text = readFileSync(declarations, "utf8");
  writeFileSync(declarations, `/// <reference lib="esnext.disposable" />\n${text}`);
}

/** Makes the imports of a file that is not compiled lead to compiled modules. */
function withCompiledImports(source: string): string {
  return source.replace(/\bimport\("(\.\/[^"]+)\.ts"\)/g, 'import("$1.js")');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  buildNpm();
  process.stdout.write(`${NPM_DIRECTORY}\n`);
}
