import { posix } from "node:path";
import { read, readJson, withoutComments } from "./sources.ts";

/** Something that an entry point exports. */
export interface PublicExport {
  /** The file of the entry point. */
  entry: string;
  /** The name it is exported under. */
  name: string;
  /** The file that declares it, and its name there. */
  file: string;
  declaredAs: string;
}

/** Everything that the package's entry points export. */
export async function publicExports(): Promise<PublicExport[]> {
  const { exports } = await readJson<{ exports: Record<string, string> }>("deno.json");
  const all: PublicExport[] = [];
  for (const path of Object.values(exports)) {
    const entry = path.slice(2);
    for (const [name, { file, declaredAs }] of await exportsOf(entry)) {
      all.push({ entry, name, file, declaredAs });
    }
  }
  return all;
}

interface Declaration {
  file: string;
  declaredAs: string;
}

/** The exports of a file by name, each followed to the file that declares it. */
async function exportsOf(file: string): Promise<Map<string, Declaration>> {
  const code = withoutComments(await read(file));
  const found = new Map<string, Declaration>();
  for (const [, list, specifier] of code.matchAll(RE_EXPORT)) {
    const from = posix.join(posix.dirname(file), specifier!);
    const theirs = await exportsOf(from);
    for (const item of list!.split(",").map((text) => text.trim()).filter((text) => text !== "")) {
      const [, name, alias] = /^(?:type\s+)?(\w+)(?:\s+as\s+(\w+))?$/.exec(item)!;
      const declaration = theirs.get(name!);
      if (declaration === undefined) throw new Error(`${from} does not export ${name}`);
      found.set(alias ?? name!, declaration);
    }
  }
  for (const [, specifier] of code.matchAll(STAR_EXPORT)) {
    const theirs = await exportsOf(posix.join(posix.dirname(file), specifier!));
    for (const [name, declaration] of theirs) found.set(name, declaration);
  }
  for (const [, specifier] of code.matchAll(RE_EXPORT_ALL)) {
    for (
      const [name, declaration] of await exportsOf(posix.join(posix.dirname(file), specifier!))
    ) {
      found.set(name, declaration);
    }
  }
  for (const [, name] of code.matchAll(DECLARATION)) {
    found.set(name!, { file, declaredAs: name! });
  }
  return found;
}

const RE_EXPORT = /^export\s+(?:type\s+)?\{([^}]*)\}\s*from\s*"([^"]+)";/gm;
const STAR_EXPORT = /^export\s+type\s+\*\s*from\s*"([^"]+)";/gm;
const RE_EXPORT_ALL = /^export\s+(?:type\s+)?\*\s+from\s*"([^"]+)";/gm;
const DECLARATION =
  /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:const|let|class|function\*?|interface|type)\s+(\w+)/gm;

/** What a declaration is, and the doc comment above it. Overloads share the first one's comment. */
export async function declarationOf(
  { file, declaredAs }: Declaration,
): Promise<{ kind: string; doc: string }> {
  const source = await read(file);
  const keyword = "(?:declare |abstract |async )*(const|let|class|function|interface|type)\\*?";
  const found = new RegExp(`^export ${keyword} ${declaredAs}\\b`, "m").exec(source);
  if (found === null) throw new Error(`${file} does not declare ${declaredAs}`);
  const before = source.slice(0, found.index).trimEnd();
  const start = before.endsWith("*/") ? before.lastIndexOf("/**") : before.length;
  return { kind: found[1]!, doc: before.slice(start) };
}
