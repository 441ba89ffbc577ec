import { FileError } from "./file.ts";

/** A file that is only appended to, and survives the end of the process and of the machine. */
export interface Journal extends Disposable {
  /** The lines that were in the file when it was opened. */
  readonly lines: readonly string[];
  /** Appends a line. It survives the end of the process. */
  append(line: string): void;
  /** Makes sure that all lines survive the end of the machine. */
  sync(): void;
}

/**
 * Opens a journal, which only one process can do at a time. A line that a cut has left unfinished is
 * removed.
 *
 * @throws {FileError} If it cannot be opened, with the code `EBUSY` if another process has it.
 */
export async function openJournal(path: string): Promise<Journal> {
  const [fs, { default: process }] = await Promise.all([
    import("node:fs"),
    import("node:process"),
  ]);
  const lock = `${path}.lock`;
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (cause) {
      throw cause instanceof FileError ? cause : new FileError("write journal", path, cause);
    }
  };
  attempt(() => takeLock(fs, process, lock, path));
  let file = -1;
  const release = () => {
    if (file !== -1) fs.closeSync(file);
    file = -1;
    fs.rmSync(lock, { force: true });
    held.delete(lock);
  };
  try {
    const lines = attempt(() => {
      const isNew = !fs.existsSync(path);
      file = fs.openSync(path, "a+");
      if (isNew) syncDirectory(fs, path);
      const text = fs.readFileSync(path, "utf8");
      const whole = text.slice(0, text.lastIndexOf("\n") + 1);
      if (whole !== text) fs.ftruncateSync(file, new TextEncoder().encode(whole).length);
      return whole.split("\n").slice(0, -1);
    });
    return {
      lines,
      append(line) {
        attempt(() => {
          const bytes = new TextEncoder().encode(`${line}\n`);
          for (let at = 0; at < bytes.length;) at += fs.writeSync(file, bytes, at);
        });
      },
      sync: () => attempt(() => fs.fsyncSync(file)),
      [Symbol.dispose]: release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** The locks that this process has. */
const held = new Set<string>();

type Fs = typeof import("node:fs");
interface Process {
  pid: number;
  kill(pid: number, signal: number): unknown;
}

/** Creates a file with the id of this process. The file of a process that has ended is replaced. */
function takeLock(fs: Fs, process: Process, lock: string, path: string): void {
  for (let i = 0; i < 2; i++) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: "wx" });
      held.add(lock);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
      const owner = Number(fs.readFileSync(lock, "utf8"));
      // In a container, the process before this one often had the same id.
      const isTaken = owner === process.pid ? held.has(lock) : isRunning(process, owner);
      if (isTaken) break;
      fs.rmSync(lock, { force: true });
    }
  }
  const reason = `another process is at work with it; if not, remove '${lock}'`;
  throw new FileError("open journal", path, Object.assign(new Error(reason), { code: "EBUSY" }));
}

function isRunning(process: Process, pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid < 1) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user may not be asked, but it runs.
    return (error as { code?: string }).code !== "ESRCH";
  }
}

/** Makes sure that a new file itself survives the end of the machine. */
function syncDirectory(fs: Fs, path: string): void {
  const directory = path.replace(/[^\\/]*$/, "") || ".";
  try {
    const handle = fs.openSync(directory, "r");
    fs.fsyncSync(handle);
    fs.closeSync(handle);
  } catch (error) {
    // Windows cannot open a directory.
    if (!["EISDIR", "EPERM", "EACCES"].includes((error as { code: string }).code)) throw error;
  }
}
