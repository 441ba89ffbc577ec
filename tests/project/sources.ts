import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The project's folder, with a slash at the end. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

const NOT_OURS = new Set(["node_modules", ".git", ".dispatch", ".mutation", "coverage", "dist"]);

/** The sorted paths of all files in a folder and its subfolders, relative to the project's folder. */
export async function filesBelow(folder: string = ""): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(ROOT + folder, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (NOT_OURS.has(entry.name)) continue;
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) files.push(...await filesBelow(path));
    else if (entry.isFile()) files.push(path);
  }
  return files.sort();
}

/** Reads a file of the project. */
export function read(path: string): Promise<string> {
  return readFile(ROOT + path, "utf8");
}

/** Reads a JSON file of the project. */
export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await read(path)) as T;
}

/** Removes comments from TypeScript. Line numbers stay the same. */
export function withoutComments(source: string): string {
  return source.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (all, quoted: string | undefined) => quoted ?? all.replace(/[^\n]/g, ""),
  );
}

/** An import or re-export of a module. */
export interface Import {
  specifier: string;
  dynamic: boolean;
}

/** The imports and re-exports of a TypeScript source. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const found = (pattern: RegExp, dynamic: boolean): Import[] =>
    Array.from(code.matchAll(pattern), (hit) => ({ specifier: hit[1]!, dynamic }));
  return [
    ...found(/^(?:import|export)\s+(?:type\s+)?[\w*{][^;"'`]*?\sfrom\s*"([^"]+)"/gm, false),
    ...found(/^import\s*"([^"]+)"/gm, false),
    ...found(/\bimport\(\s*["'`]([^"'`]+)["'`]\s*[,)]/g, true),
  ];
}
