import { pathKind } from "../../runtime/file.ts";

/** The imports of a module: `import … from "./a.ts"`, `export … from`, `import "./a.ts"`, `import()`. */
const IMPORT =
  /(?:(?:^|[;{}]|\*\/)[ \t]*(?:import|export)\b(?!\s+type\b)(?:[^;"'`]*?\bfrom\b)?|\bimport\s*\()\s*(["'])(?<specifier>[^"'\n]+)\1/gm;

/** What Bun adds to the name of a module, in this order. */
const ENDINGS = ["", ".ts", ".js", ".mts", ".mjs", "/index.ts", "/index.js"];

/** Returns what a module seems to import: it is not run, so comments and computed names can deceive. */
export function importsOf(text: string): string[] {
  return Array.from(text.matchAll(IMPORT), ({ groups }) => groups!.specifier!);
}

/** Whether a specifier names a file relative to the module that imports it. */
export function isRelative(specifier: string): boolean {
  return /^\.{1,2}\//.test(specifier);
}

/** Whether a file is a module, which can import others. */
export function isModule(path: string): boolean {
  return /\.[cm]?[jt]s$/.test(path);
}

/** Returns the file that an import of a path gets, on Bun also without its ending. */
export async function findModule(path: string): Promise<string | undefined> {
  for (const ending of ENDINGS) {
    if (await pathKind(path + ending) === "file") return path + ending;
  }
  return undefined;
}
