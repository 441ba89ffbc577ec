// deno-lint-ignore-file no-explicit-any
import { onExit } from "./process.ts";

/** A file or directory that could not be read or written; `code` is the system's, such as `ENOENT`. */
export class FileError extends Error {
  /** `ENOENT`, `EACCES`, `EISDIR`, or `EUNKNOWN`. */
  readonly code: string;

  /** Says what could not be done, in words. */
  constructor(doing: string, path: string, cause: unknown) {
    const code = codeOf(cause);
    // A file that is written need not be there; the directory it is written into must be.
    const reason = code === "ENOENT" && /^(write|append)/.test(doing)
      ? "no such directory"
      : REASONS[code] ?? (cause as Error).message;
    super(`Cannot ${doing} '${path}': ${reason}`, { cause });
    this.name = "FileError";
    this.code = code;
  }
}

/** What a path is. */
export type PathKind = "file" | "directory" | "none";

/**
 * The text of a file.
 * @param what What the file is, for the error: `recipe`.
 * @throws {FileError}
 */
export async function readTextFile(path: string, what = "file"): Promise<string> {
  try {
    const { Deno, Bun } = globalThis as any;
    if (Deno) return await Deno.readTextFile(path);
    if (!Bun) return await (await fs()).readFile(path, "utf8");
    // Bun's own way does without `node:fs/promises`, which takes it 2 ms to load. Its `text()` would
    // obey a byte order mark of UTF-16, which the others take for what it is: no UTF-8.
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await Bun.file(path).bytes());
  } catch (cause) {
    throw new FileError(`read ${what}`, path, cause);
  }
}

/**
 * Writes a file so that it is there whole or not at all. A pipe or a device, such as `/dev/stdout`,
 * is written to as it is: a file in its place would be another one.
 * @throws {FileError}
 */
export async function writeTextFile(path: string, text: string): Promise<void> {
  try {
    const target = await targetOf(path);
    if (target.isStream) await write(path, text);
    else await replace(target.path, text);
  } catch (cause) {
    throw new FileError("write file", path, cause);
  }
}

/**
 * Finds out whether {@linkcode writeTextFile} can write a file; what is there stays as it is.
 * @throws {FileError}
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = await targetOf(path);
    if (target.isStream) return;
    if (target.isDirectory) throw Object.assign(new Error(REASONS.EISDIR), { code: "EISDIR" });
    const probe = temporaryFor(target.path);
    await write(probe, "");
    await removeFile(probe);
  } catch (cause) {
    throw new FileError("write file", path, cause);
  }
}

/** What is at a path that is to be written. */
interface Target {
  /** The path behind symbolic links, which are to stay. */
  path: string;
  /** Whether it is a pipe or a device. */
  isStream: boolean;
  /** Whether it is a directory. */
  isDirectory: boolean;
}

async function targetOf(path: string): Promise<Target> {
  const { Deno } = globalThis as any;
  try {
    const { stat, realpath } = Deno ? { stat: Deno.stat, realpath: Deno.realPath } : await fs();
    const about = await stat(path);
    const isFile = Deno ? about.isFile : about.isFile();
    const isDirectory = Deno ? about.isDirectory : about.isDirectory();
    // What a pipe's link names is nowhere.
    if (!isFile && !isDirectory) return { path, isStream: true, isDirectory };
    return { path: await realpath(path), isStream: false, isDirectory };
  } catch (_error) {
    // Nothing is there, or who writes will be told better what is wrong.
    return { path, isStream: false, isDirectory: false };
  }
}

function temporaryFor(path: string): string {
  return `${path}.${Math.random().toString(36).slice(2)}.tmp`;
}

/** Puts a file in the place of another one. */
async function replace(path: string, text: string): Promise<void> {
  const { Deno } = globalThis as any;
  const temporary = temporaryFor(path);
  // Whoever ends the process meanwhile leaves no half of a file.
  const forget = onExit(() => {
    (globalThis as any).process.getBuiltinModule("node:fs").rmSync(temporary, { force: true });
  });
  try {
    await write(temporary, text);
    if (Deno) await Deno.rename(temporary, path);
    else await (await fs()).rename(temporary, path);
  } catch (error) {
    // Where there is no directory, nothing was begun that could be removed.
    if (!["ENOENT", "ENOTDIR"].includes(codeOf(error))) await removeFile(temporary);
    throw error;
  } finally {
    forget();
  }
}

async function write(path: string, text: string): Promise<void> {
  const { Deno } = globalThis as any;
  if (Deno) await Deno.writeTextFile(path, text);
  else await (await fs()).writeFile(path, text);
}

/**
 * Appends to a file, which is created where there is none.
 * @throws {FileError}
 */
export async function appendTextFile(path: string, text: string): Promise<void> {
  try {
    const { Deno } = globalThis as any;
    if (Deno) await Deno.writeTextFile(path, text, { append: true });
    else await (await fs()).appendFile(path, text);
  } catch (cause) {
    throw new FileError("append to file", path, cause);
  }
}

/** Creates a directory and those above it. */
export async function makeDirectory(path: string): Promise<void> {
  try {
    const { Deno } = globalThis as any;
    if (Deno) await Deno.mkdir(path, { recursive: true });
    else await (await fs()).mkdir(path, { recursive: true });
  } catch (cause) {
    throw new FileError("create directory", path, cause);
  }
}

/** Removes a file; one that is not there is let be. */
export async function removeFile(path: string): Promise<void> {
  try {
    const { Deno } = globalThis as any;
    if (Deno) await Deno.remove(path);
    else await (await fs()).rm(path, { force: true });
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw new FileError("remove file", path, cause);
  }
}

/** Whether a path is a file, a directory, or nothing. */
export async function pathKind(path: string): Promise<PathKind> {
  try {
    const { Deno } = globalThis as any;
    if (Deno) return (await Deno.stat(path)).isDirectory ? "directory" : "file";
    const { statSync } = (globalThis as any).process.getBuiltinModule("node:fs");
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return "none";
    throw new FileError("read", path, cause);
  }
}

/** The names in a directory, sorted; those of directories end in `/`. */
export async function listDirectory(path: string): Promise<string[]> {
  try {
    const { Deno } = globalThis as any;
    const names: string[] = [];
    if (Deno) {
      for await (const entry of Deno.readDir(path)) {
        names.push(entry.isDirectory ? `${entry.name}/` : entry.name);
      }
    } else {
      for (const entry of await (await fs()).readdir(path, { withFileTypes: true })) {
        names.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
      }
    }
    return names.sort();
  } catch (cause) {
    throw new FileError("read directory", path, cause);
  }
}

function fs(): Promise<typeof import("node:fs/promises")> {
  return import("node:fs/promises");
}

const REASONS: Record<string, string> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is no directory",
};

function codeOf(error: unknown): string {
  const { code, name, message = "" } = (error ?? {}) as Error & { code?: string };
  if (code) return code;
  if (name === "NotFound") return "ENOENT";
  if (name === "PermissionDenied" || name === "NotCapable") return "EACCES";
  if (name === "IsADirectory" || /is a directory/i.test(message)) return "EISDIR";
  return "EUNKNOWN";
}
