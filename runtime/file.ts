// deno-lint-ignore-file no-explicit-any
/** Thrown when a file or directory cannot be read or written. */
export class FileError extends Error {
  /** The code of the operating system, such as `ENOENT`, or `EUNKNOWN`. */
  readonly code: string;

  /**
   * Creates an error for a path.
   * @param action What failed, such as `read file`.
   */
  constructor(action: string, path: string, cause: unknown) {
    const code = codeOf(cause);
    // A file need not exist to be written, but its directory must.
    const reason = code === "ENOENT" && /^(write|append|create)/.test(action)
      ? "no such directory"
      : REASONS[code] ?? (cause as Error).message;
    super(`Cannot ${action} '${path}': ${reason}`, { cause });
    this.name = "FileError";
    this.code = code;
  }
}

/** The kind of a path. */
export type PathKind = "file" | "directory" | "none";

/**
 * Reads a text file.
 * @param what The kind of file for the error message, such as `recipe`.
 * @param maximum The most bytes it may have. A device such as `/dev/zero` has no end.
 * @throws {FileError}
 */
export async function readTextFile(
  path: string,
  what = "file",
  maximum = Infinity,
): Promise<string> {
  return await readText(path, what, maximum, new TextDecoder("utf-8", { ignoreBOM: true }));
}

/**
 * Reads a file of data like {@linkcode readTextFile}, but refuses one that is not UTF-8 text: what
 * could not be decoded would be sent as replacement characters.
 * @throws {FileError}
 */
export async function readDataFile(path: string, what: string, maximum: number): Promise<string> {
  return await readText(
    path,
    what,
    maximum,
    new TextDecoder("utf-8", { ignoreBOM: true, fatal: true }),
  );
}

async function readText(
  path: string,
  what: string,
  maximum: number,
  decoder: TextDecoder,
): Promise<string> {
  try {
    if (maximum < Infinity && !(await isSmallFile(path, maximum))) {
      if (!IS_OPEN_PIPE.test(path) && await isPipe(path)) {
        throw Object.assign(new Error("it is a named pipe"), { code: "ENOTSUP" });
      }
      return await readBeginning(path, maximum, decoder);
    }
    const { Deno, Bun } = globalThis as any;
    // Bun's own API avoids loading `node:fs/promises`, which takes 2 ms. Its `text()` would decode
    // a file with a UTF-16 byte order mark as UTF-16, unlike the other runtimes.
    const bytes = Deno
      ? await Deno.readFile(path)
      : Bun
      ? await Bun.file(path).bytes()
      : await (await fs()).readFile(path);
    return decoder.decode(bytes);
  } catch (cause) {
    const isNoText = decoder.fatal && cause instanceof TypeError;
    throw new FileError(`read ${what}`, path, isNoText ? new Error("it is not UTF-8 text") : cause);
  }
}

/** Whether a path is a regular file of at most this many bytes, or does not exist. */
async function isSmallFile(path: string, maximum: number): Promise<boolean> {
  const { Deno, Bun, process } = globalThis as any;
  try {
    if (Deno) {
      const about = await Deno.stat(path);
      return about.isDirectory || (about.isFile && about.size <= maximum);
    }
    // Bun's own API avoids loading `node:fs`.
    const about = Bun
      ? await Bun.file(path).stat()
      : process.getBuiltinModule("node:fs").statSync(path);
    return about.isFile() && about.size <= maximum;
  } catch (_error) {
    // Reading it will report a better error.
    return true;
  }
}

/** The paths of pipes that a shell has opened, such as `<(command)`. */
const IS_OPEN_PIPE = /^\/(dev|proc)\//;

/** Whether a path is a pipe. To open one whose writer never comes would block, also for a signal. */
async function isPipe(path: string): Promise<boolean> {
  const { Deno } = globalThis as any;
  return Deno ? (await Deno.stat(path)).isFifo : (await (await fs()).stat(path)).isFIFO();
}

/** Reads a pipe, a device or a large file. */
async function readBeginning(
  path: string,
  maximum: number,
  decoder: TextDecoder,
): Promise<string> {
  const { Deno } = globalThis as any;
  const file = Deno ? await Deno.open(path) : await (await fs()).open(path);
  const chunk = new Uint8Array(65_536);
  let text = "";
  try {
    for (let size = 0; size <= maximum;) {
      const read = Deno ? await file.read(chunk) : (await file.read(chunk)).bytesRead;
      if (!read) return text + decoder.decode();
      size += read;
      text += decoder.decode(chunk.subarray(0, read), { stream: true });
    }
  } finally {
    await file.close();
  }
  throw Object.assign(new Error(`it is larger than ${maximum >> 20} MiB`), { code: "EFBIG" });
}

/**
 * Appends to a file, and creates it if it does not exist.
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

/** Creates a directory and its parents, unless it exists. */
export async function makeDirectory(path: string): Promise<void> {
  const { Deno } = globalThis as any;
  const make: (path: string) => Promise<void> = Deno ? Deno.mkdir : (await fs()).mkdir;
  // Not with `recursive`: Node never returns where a directory cannot be created, as in `/proc`.
  const makeAll = async (path: string): Promise<void> => {
    try {
      await make(path);
    } catch (error) {
      if (await pathKind(path) === "directory") return;
      const parent = parentOf(path);
      if (codeOf(error) !== "ENOENT" || parent === "" || await pathKind(parent) !== "none") {
        throw error;
      }
      await makeAll(parent);
      await make(path);
    }
  };
  try {
    await makeAll(path);
  } catch (cause) {
    throw new FileError("create directory", path, cause);
  }
}

/** Returns the path of the directory that contains a path; empty for the working directory. */
export function parentOf(path: string): string {
  return path.replace(/[\\/]+$/, "").replace(/[^\\/]*$/, "");
}

/** Removes a file, if it exists. */
export async function removeFile(path: string): Promise<void> {
  try {
    const { Deno } = globalThis as any;
    if (Deno) await Deno.remove(path);
    else await (await fs()).rm(path, { force: true });
  } catch (cause) {
    if (codeOf(cause) !== "ENOENT") throw new FileError("remove file", path, cause);
  }
}

/** Returns whether a path is a file, a directory, or does not exist. */
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

/** Returns a path without symbolic links, or `undefined` if it cannot be resolved. */
export function resolvedPath(path: string): string | undefined {
  try {
    return (globalThis as any).process.getBuiltinModule("node:fs").realpathSync(path);
  } catch (_error) {
    return undefined;
  }
}

/** Returns how many bytes a file has; 0 if there is none, and for pipes and devices. */
export async function fileSize(path: string): Promise<number> {
  try {
    const { Deno } = globalThis as any;
    const about = Deno ? await Deno.stat(path) : await (await fs()).stat(path);
    return (Deno ? about.isFile : about.isFile()) ? about.size : 0;
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return 0;
    throw new FileError("read", path, cause);
  }
}

/** Lists the names in a directory, sorted. The names of directories end in `/`. */
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

/** What the codes of the operating system mean. */
const REASONS: Record<string, string> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EEXIST: "a file has this name",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
};

/** Returns the code of an error of the file system, such as `ENOENT`. */
export function codeOf(error: unknown): string {
  const { code, name, message = "" } = (error ?? {}) as Error & { code?: string };
  if (code) return code;
  if (name === "NotFound") return "ENOENT";
  if (name === "PermissionDenied" || name === "NotCapable") return "EACCES";
  if (name === "IsADirectory" || /is a directory/i.test(message)) return "EISDIR";
  return "EUNKNOWN";
}
