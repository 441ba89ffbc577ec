// The checker has only the types of the runtime that it belongs to.
// deno-lint-ignore-file no-explicit-any
import { FileError } from "./file.ts";

/** How many bytes are read at a time: a merge has hundreds of files open. */
const CHUNK = 16_384;

/** Some lines of a file. */
export interface Lines {
  /** The lines, without their ends. */
  lines: string[];
  /** Whether the last of them is the end of the file, and not the end of a line. */
  isUnended: boolean;
}

/**
 * Reads the lines of a text file, a few at a time, so that a large file is never in memory as a whole.
 * @param what The kind of file for the error message, such as `stream`.
 * @param maximum The most characters that a line may have.
 * @throws {FileError}
 */
export async function* readLines(
  path: string,
  what: string,
  maximum: number,
): AsyncGenerator<Lines> {
  let file: any;
  /** The chunk that is read meanwhile. */
  let next: Promise<number | null> | undefined;
  try {
    file = await openFile(path);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const chunk = new Uint8Array(CHUNK);
    // Whoever stops in the middle of a pipe must not wait for its writer.
    const readsAhead = isRegular(await file.stat());
    // The beginning of a line, in pieces: to join them for each chunk would take for ever.
    let begun: string[] = [];
    let length = 0;
    for (;;) {
      const size = await (next ?? readChunk(file, chunk));
      const text = size
        ? decoder.decode(chunk.subarray(0, size), { stream: true })
        : decoder.decode();
      if (size && readsAhead) {
        next = readChunk(file, chunk);
        // A failure counts when the chunk is asked for.
        next.catch(() => {});
      }
      const end = text.lastIndexOf("\n");
      const lines = end < 0 ? [] : text.slice(0, end).split("\n");
      if (end >= 0) {
        lines[0] = begun.join("") + lines[0];
        begun = [];
        length = 0;
      }
      begun.push(text.slice(end + 1));
      length += text.length - end - 1;
      if (length > maximum) {
        const why = `a line is longer than ${maximum} characters`;
        throw Object.assign(new Error(why), { code: "EFBIG" });
      }
      if (lines.length > 0) yield { lines, isUnended: false };
      if (size) continue;
      if (length > 0) yield { lines: [begun.join("")], isUnended: true };
      return;
    }
  } catch (cause) {
    throw cause instanceof FileError ? cause : new FileError(`read ${what}`, path, cause);
  } finally {
    await next?.catch(() => {});
    await file?.close();
  }
}

/** The end of a file. */
export interface Tail {
  /** Its text. It can begin in the middle of a character, and is empty for a pipe or a device. */
  text: string;
  /** How many bytes the file has. */
  size: number;
  /** Whether it is a regular file. */
  isFile: boolean;
}

/**
 * Reads the end of a text file.
 * @param what The kind of file for the error message, such as `stream`.
 * @param bytes How many bytes of it.
 * @throws {FileError}
 */
export async function readTail(path: string, what: string, bytes: number): Promise<Tail> {
  const { Deno } = globalThis as any;
  let file: any;
  try {
    // To open a pipe would wait for its writer.
    const status = Deno
      ? await Deno.stat(path)
      : await (await import("node:fs/promises")).stat(path);
    const isFile = isRegular(status);
    const { size } = status;
    if (!isFile) return { text: "", size, isFile };
    file = await openFile(path);
    const start = Math.max(0, size - bytes);
    const tail = new Uint8Array(size - start);
    let length = 0;
    while (length < tail.length) {
      const read = await readAt(file, tail.subarray(length), start + length);
      if (!read) break;
      length += read;
    }
    return { text: new TextDecoder().decode(tail.subarray(0, length)), size, isFile };
  } catch (cause) {
    throw new FileError(`read ${what}`, path, cause);
  } finally {
    await file?.close();
  }
}

async function openFile(path: string): Promise<any> {
  const { Deno } = globalThis as any;
  return Deno ? await Deno.open(path) : await (await import("node:fs/promises")).open(path);
}

function isRegular(status: any): boolean {
  return typeof status.isFile === "function" ? status.isFile() : status.isFile;
}

/** Reads into a chunk; returns how many bytes, and nothing at the end. */
async function readChunk(file: any, chunk: Uint8Array): Promise<number | null> {
  const read = await file.read(chunk);
  return typeof read === "object" && read !== null ? read.bytesRead : read;
}

async function readAt(file: any, chunk: Uint8Array, position: number): Promise<number | null> {
  const { Deno } = globalThis as any;
  if (!Deno) return (await file.read(chunk, 0, chunk.length, position)).bytesRead;
  await file.seek(position, Deno.SeekMode.Start);
  return await file.read(chunk);
}
