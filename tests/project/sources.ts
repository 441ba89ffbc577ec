import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** The project's folder, as a path that ends in a slash. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

const NOT_OURS = new Set(["node_modules", ".git", ".dispatch", ".mutation", "coverage"]);

/** The paths of all files below a folder of the project, from its root on, sorted. */
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

/** A file of the project as text. */
export function read(path: string): Promise<string> {
  return readFile(ROOT + path, "utf8");
}

/** A JSON file of the project. */
export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await read(path)) as T;
}

/** TypeScript without its comments; strings, templates and line numbers stay. */
export function withoutComments(source: string): string {
  return source.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g,
    (all, quoted: string | undefined) => quoted ?? all.replace(/[^\n]/g, ""),
  );
}

/** What a module imports, and whether only when it is asked for. */
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
