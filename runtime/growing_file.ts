// deno-lint-ignore-file no-explicit-any
import { FileError } from "./file.ts";
import { putFile } from "./write_file.ts";

/** A file that is written piece by piece. */
export interface GrowingFile {
  /**
   * Appends a piece. In a regular file it survives the end of the process.
   * @throws {FileError} If that fails, as on a full disk. The file ends with the piece before then.
   */
  append(text: string): void;
  /**
   * Closes the file, once everything has been written. It stays open if that fails.
   * @throws {FileError} If a piece could not be written, or the file is no longer at its path.
   */
  close(): Promise<void>;
  /** Closes the file as it is, also after {@linkcode close} has failed. */
  abandon(): void;
}

type Fs = typeof import("node:fs");

/**
 * Begins a file. What was there is replaced by the rules of `writeTextFile`, so that whoever reads or
 * writes it still has a file of its own. Pieces for a pipe or a device are written one after another
 * in the background, because a slow reader must not block the process.
 *
 * @throws {FileError}
 */
export async function openGrowingFile(path: string): Promise<GrowingFile> {
  const fs = await import("node:fs");
  let file = -1;
  await putFile(path, (target, { createNew, mode }) => {
    if (file !== -1) fs.closeSync(file);
    file = fs.openSync(target, createNew ? "ax" : "a", mode ?? 0o666);
    if (!createNew && fs.fstatSync(file).isFile()) fs.ftruncateSync(file);
    return Promise.resolve();
  });
  if (fs.fstatSync(file).isFile()) return regularFile(fs, path, file);
  return pipe(path, await openPipe(fs, path, file));
}

function regularFile(fs: Fs, path: string, file: number): GrowingFile {
  let size = 0;
  return {
    append(text) {
      const bytes = new TextEncoder().encode(text);
      try {
        for (let at = 0; at < bytes.length;) at += fs.writeSync(file, bytes, at);
      } catch (cause) {
        fs.ftruncateSync(file, size);
        throw new FileError("write file", path, cause);
      }
      size += bytes.length;
    },
    close() {
      try {
        checkPlace(fs, path, file);
      } catch (error) {
        return Promise.reject(error);
      }
      fs.closeSync(file);
      return Promise.resolve();
    },
    abandon: () => fs.closeSync(file),
  };
}

/** Checks that a file can still be found by its path. */
function checkPlace(fs: Fs, path: string, file: number): void {
  try {
    const own = fs.fstatSync(file, { bigint: true });
    const found = fs.statSync(path, { bigint: true });
    if (found.ino === own.ino && found.dev === own.dev) return;
  } catch (cause) {
    throw new FileError("write file", path, cause);
  }
  throw new FileError("write file", path, new Error("it was replaced meanwhile"));
}

/** A pipe or a device that can be written in the background. */
interface Pipe {
  /** Writes bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

async function openPipe(fs: Fs, path: string, file: number): Promise<Pipe> {
  const { Deno } = globalThis as any;
  if (Deno) {
    // There `fs.write` blocks the process.
    const pipe = await Deno.open(path, { append: true });
    fs.closeSync(file);
    return pipe;
  }
  return {
    write: (bytes) =>
      new Promise((resolve, reject) =>
        fs.write(file, bytes, 0, bytes.length, null, (error, count) => {
          if (error) reject(error);
          else resolve(count);
        })
      ),
    close: () => fs.closeSync(file),
  };
}

function pipe(path: string, target: Pipe): GrowingFile {
  let pieces: string[] = [];
  let failure: FileError | undefined;
  let writing: Promise<void> | undefined;
  const writeAll = async () => {
    try {
      while (pieces.length > 0) {
        let bytes = new TextEncoder().encode(pieces.splice(0).join(""));
        while (bytes.length > 0) bytes = bytes.subarray(await target.write(bytes));
      }
    } catch (cause) {
      failure = new FileError("write file", path, cause);
    }
    writing = undefined;
  };
  return {
    append(text) {
      if (failure) throw failure;
      pieces.push(text);
      writing ??= writeAll();
    },
    async close() {
      await writing;
      if (failure) throw failure;
      target.close();
    },
    abandon() {
      pieces = [];
      // Its number must not become that of another file while a write waits for the reader.
      if (!writing) target.close();
    },
  };
}
