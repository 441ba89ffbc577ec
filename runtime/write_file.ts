// deno-lint-ignore-file no-explicit-any
import { codeOf, FileError, makeDirectory, parentOf, pathKind, removeFile } from "./file.ts";
import { currentDirectory, onExit } from "./process.ts";

/**
 * Writes a file and keeps its mode, its owner, and links to it.
 *
 * If possible the file is replaced, so that it is never torn: a reader sees the old text or the
 * whole new one. It is written in place if a replacement would break something: if it has several
 * hard links, belongs to another user or group, or its directory allows no new files. Pipes and
 * devices such as `/dev/stdout` are written to directly; a named pipe that nobody reads is refused.
 *
 * @param text The text, or pieces of it that are written one after another. They can be read twice.
 * @throws {FileError}
 */
export async function writeTextFile(path: string, text: string | Iterable<string>): Promise<void> {
  await putFile(path, (target, options) => write(target, text, options));
}

/** How a file is created. */
export interface CreateOptions {
  /** Whether to fail if there is one. */
  createNew?: boolean;
  /** Its mode. */
  mode?: number;
}

/**
 * Puts a file at a path by the rules of {@linkcode writeTextFile}.
 *
 * @param create Creates and writes a file: a temporary one, or that at the path if it cannot be
 * replaced. Called twice if that turns out later.
 * @throws {FileError}
 */
export async function putFile(
  path: string,
  create: (path: string, options: CreateOptions) => Promise<void>,
): Promise<void> {
  try {
    const target = await targetOf(path);
    const { status } = target;
    if (status?.isPipe) await checkReader(target.path);
    const mustStay = status && (!status.isFile || status.links > 1);
    if (mustStay || !await replace(target, create)) await create(target.path, {});
    closePipe(target.path);
  } catch (cause) {
    throw new FileError("write file", path, cause);
  }
}

/**
 * Checks whether {@linkcode writeTextFile} can write a file, without changing the file. Makes its
 * directory if there is none.
 * @throws {FileError}
 */
export async function checkWritable(path: string): Promise<void> {
  try {
    const { path: target, status } = await targetOf(path);
    const directory = parentOf(target);
    if (directory !== "" && await pathKind(directory) === "none") await makeDirectory(directory);
    if (status?.isDirectory) {
      throw Object.assign(new Error("it is a directory"), { code: "EISDIR" });
    }
    if (status?.isPipe) return await checkReader(target);
    if (status && !status.isFile) return;
    if (status && status.links > 1) return await openToWrite(target);
    const probe = temporaryFor(target);
    try {
      await write(probe, "", { createNew: true });
    } catch (error) {
      if (!status || !ALLOWS_NO_NEW_FILE.has(codeOf(error))) throw error;
      return await openToWrite(target);
    }
    await removeFile(probe);
  } catch (cause) {
    throw new FileError("write file", path, cause);
  }
}

/**
 * Returns a text that is equal for all paths of one file: symbolic links are followed, and hard
 * links of one file have the same text. The file need not exist, but its directory should.
 */
export async function fileIdentity(path: string): Promise<string> {
  // Whoever uses the path will report why it cannot be resolved.
  const target: Target = await targetOf(path).catch(() => ({ path }));
  if (target.status?.inode) return target.status.inode;
  let real = target.path;
  if (!target.status) {
    const name = real.slice(parentOf(real).length);
    real = `${await realPath(parentOf(real) || ".").catch(() => parentOf(real))}/${name}`;
  }
  return new URL(real, `file://${currentDirectory()}/`).href;
}

/** What the file system knows about a path. */
interface FileStatus {
  isFile: boolean;
  isDirectory: boolean;
  isPipe: boolean;
  /** The mode, without the type; absent on Windows. */
  mode: number | undefined;
  /** The number of hard links. */
  links: number;
  /** What identifies a file that has several hard links, if the runtime can tell. */
  inode: string | undefined;
  /** The user and group that own it. */
  owner: string;
}

/** The place that a file is written to. */
interface Target {
  /** The path with symbolic links resolved, so that they are kept. */
  path: string;
  /** Absent if nothing is there. */
  status?: FileStatus;
}

/** Errors of a directory that refuses new files. Existing files in it may still be writable. */
const ALLOWS_NO_NEW_FILE: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);

/** How many symbolic links are followed, as on Linux. */
const MAX_LINKS = 40;

async function targetOf(path: string): Promise<Target> {
  const { Deno } = globalThis as any;
  const readlink = Deno ? Deno.readLink : (await fs()).readlink;
  let at = path;
  for (let i = 0; i < MAX_LINKS; i++) {
    let status: FileStatus;
    try {
      status = await statusOf(at);
    } catch (_error) {
      // Nothing is there, or writing to it will report a better error.
      const link = await readlink(at).catch(() => undefined);
      if (link === undefined) return { path: at };
      at = /^([\\/]|[A-Za-z]:)/.test(link) ? link : `${parentOf(at)}${link}`;
      continue;
    }
    // The link to a pipe cannot be resolved to a path.
    const isLinkToPath = status.isFile || status.isDirectory;
    return { path: isLinkToPath ? await realPath(at) : at, status };
  }
  throw Object.assign(new Error("too many symbolic links"), { code: "ELOOP" });
}

async function realPath(path: string): Promise<string> {
  const { Deno } = globalThis as any;
  return Deno ? await Deno.realPath(path) : await (await fs()).realpath(path);
}

async function statusOf(path: string): Promise<FileStatus> {
  const { Deno } = globalThis as any;
  const status: any = Deno ? await Deno.stat(path) : await (await fs()).stat(path);
  const { mode, nlink, uid, gid, dev, ino } = status;
  const isFile = Deno ? status.isFile : status.isFile();
  return {
    isFile,
    isDirectory: Deno ? status.isDirectory : status.isDirectory(),
    isPipe: Deno ? status.isFifo === true : status.isFIFO(),
    mode: typeof mode === "number" ? mode & 0o7777 : undefined,
    links: nlink ?? 1,
    // A larger number would be rounded, and could equal that of another file.
    inode: isFile && nlink > 1 && ino > 0 && Number.isSafeInteger(ino)
      ? `inode ${dev} ${ino}`
      : undefined,
    owner: `${uid} ${gid}`,
  };
}

/** Returns the path of a new file beside a file. The name is short, as file systems limit it. */
function temporaryFor(path: string): string {
  const directory = parentOf(path);
  const name = path.slice(directory.length, directory.length + MAX_TEMPORARY_NAME);
  return `${directory}${name}.${Math.random().toString(36).slice(2)}.tmp`;
}

/** How many characters of a file's name its temporary file has; each can take three bytes. */
const MAX_TEMPORARY_NAME = 60;

/** Replaces a file; returns whether that was possible without breaking something. */
async function replace(
  { path, status }: Target,
  create: (path: string, options: CreateOptions) => Promise<void>,
): Promise<boolean> {
  const { Deno } = globalThis as any;
  const temporary = temporaryFor(path);
  // If the process ends meanwhile, the temporary file must not stay.
  const forget = onExit(() => {
    (globalThis as any).process.getBuiltinModule("node:fs").rmSync(temporary, { force: true });
  });
  let hasTemporary = false;
  try {
    // Nobody else may read the temporary file before it has the mode of the original.
    await create(temporary, { createNew: true, ...(status ? { mode: 0o600 } : {}) });
    hasTemporary = true;
    if (status) {
      if ((await statusOf(temporary)).owner !== status.owner) return false;
      await setMode(temporary, status.mode);
    }
    if (Deno) await Deno.rename(temporary, path);
    else await (await fs()).rename(temporary, path);
    hasTemporary = false;
    return true;
  } catch (error) {
    // A file that is a mount point cannot be replaced, either.
    const code = codeOf(error);
    if (status && (ALLOWS_NO_NEW_FILE.has(code) || code === "EBUSY" || code === "EXDEV")) {
      return false;
    }
    throw error;
  } finally {
    if (hasTemporary) await removeFile(temporary);
    forget();
  }
}

async function setMode(path: string, mode: number | undefined): Promise<void> {
  const { Deno } = globalThis as any;
  if (mode === undefined || Deno?.build.os === "windows") return;
  if (Deno) await Deno.chmod(path, mode);
  else await (await fs()).chmod(path, mode);
}

async function write(
  path: string,
  text: string | Iterable<string>,
  options: CreateOptions = {},
): Promise<void> {
  const { Deno } = globalThis as any;
  const { createNew = false, mode } = options;
  const withMode = mode === undefined ? {} : { mode };
  if (typeof text !== "string") await writePieces(path, text, options);
  else if (Deno) await Deno.writeTextFile(path, text, { createNew, ...withMode });
  else await (await fs()).writeFile(path, text, { flag: createNew ? "wx" : "w", ...withMode });
}

/** Writes pieces one after another, so that their bytes are never in memory together. */
async function writePieces(
  path: string,
  pieces: Iterable<string>,
  { createNew = false, mode }: CreateOptions,
): Promise<void> {
  const { Deno } = globalThis as any;
  const how = createNew ? { createNew } : { create: true, truncate: true };
  const file = Deno
    ? await Deno.open(path, { write: true, ...how, ...(mode === undefined ? {} : { mode }) })
    : await (await fs()).open(path, createNew ? "wx" : "w", mode);
  const writeAll = async (text: string) => {
    let bytes = new TextEncoder().encode(text);
    while (bytes.length > 0) {
      const written = await file.write(bytes);
      bytes = bytes.subarray(Deno ? written : written.bytesWritten);
    }
  };
  try {
    let text = "";
    for (const piece of pieces) {
      text += piece;
      if (text.length < WRITTEN_AT_ONCE) continue;
      await writeAll(text);
      text = "";
    }
    await writeAll(text);
  } finally {
    await file.close();
  }
}

/** How many characters are written at a time. */
const WRITTEN_AT_ONCE = 65_536;

/** Closes a pipe that was opened to see whether somebody reads it. */
function closePipe(path: string): void {
  const pipe = openPipes.get(path);
  if (pipe === undefined) return;
  openPipes.delete(path);
  (globalThis as any).process.getBuiltinModule("node:fs").closeSync(pipe);
}

/** The pipes that were opened to see whether somebody reads them. */
const openPipes = new Map<string, number>();

/**
 * Checks that somebody reads a pipe. To open one without a reader would block until one comes, even
 * when the process ends. It stays open until the text is written, because a reader takes the end of
 * the last writer for the end of the text.
 */
async function checkReader(path: string): Promise<void> {
  if (/^\/(dev|proc)\//.test(path)) return;
  const { closeSync, constants, openSync } = await import("node:fs");
  try {
    const pipe = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    const before = openPipes.get(path);
    openPipes.set(path, pipe);
    if (before !== undefined) closeSync(before);
  } catch (error) {
    if (codeOf(error) !== "ENXIO") throw error;
    throw Object.assign(new Error("it is a named pipe that nobody reads"), { code: "ENXIO" });
  }
}

/** Opens a file for writing and closes it again. */
async function openToWrite(path: string): Promise<void> {
  const { Deno } = globalThis as any;
  const file = Deno ? await Deno.open(path, { write: true }) : await (await fs()).open(path, "r+");
  await file.close();
}

function fs(): Promise<typeof import("node:fs/promises")> {
  return import("node:fs/promises");
}
