// deno-lint-ignore-file no-explicit-any

const { Deno, Bun } = globalThis as any;
// Deno has a `process` too, and takes 13 ms to load it when it is touched.
const process = Deno ? undefined : (globalThis as any).process;

/** An environment variable. */
export function readEnv(name: string): string | undefined {
  if (!Deno) return process?.env?.[name];
  try {
    return Deno.env.get(name);
  } catch (error) {
    // Without the permission a variable is as good as not set; `--deny-env` asks for that.
    if (["NotCapable", "PermissionDenied"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** The command line behind the program's name. */
export function processArgs(): string[] {
  return Deno ? [...Deno.args] : process.argv.slice(2);
}

/** The directory relative paths start from. */
export function currentDirectory(): string {
  return Deno ? Deno.cwd() : process.cwd();
}

/** What the process ends with when nothing else keeps it. */
export function setExitCode(code: number): void {
  if (Deno) Deno.exitCode = code;
  else process.exitCode = code;
}

/** Ends the process at once. */
export function exitNow(code: number): never {
  if (Deno) Deno.exit(code);
  return process.exit(code) as never;
}

/**
 * Calls `listener` when the process ends, by {@linkcode exitNow} too; what it does must be done when
 * it returns. The returned function stops that.
 */
export function onExit(listener: () => void): () => void {
  if (Deno) {
    globalThis.addEventListener("unload", listener);
    return () => globalThis.removeEventListener("unload", listener);
  }
  process.on("exit", listener);
  return () => process.off("exit", listener);
}

/** A signal that asks a process to end. */
export type EndSignal = "SIGINT" | "SIGTERM";

/** Calls `listener` for SIGINT and SIGTERM; the returned function stops that. */
export function onEndSignal(listener: (signal: EndSignal) => void): () => void {
  const signals: EndSignal[] = ["SIGINT", "SIGTERM"];
  const handlers = signals.map((signal) => () => listener(signal));
  // Windows knows no SIGTERM, and Deno refuses to listen to it there.
  const wanted = Deno?.build.os === "windows" ? 1 : signals.length;
  for (let i = 0; i < wanted; i++) {
    if (Deno) Deno.addSignalListener(signals[i], handlers[i]);
    else process.on(signals[i], handlers[i]);
  }
  return () => {
    for (let i = 0; i < wanted; i++) {
      if (Deno) Deno.removeSignalListener(signals[i], handlers[i]);
      else process.off(signals[i], handlers[i]);
    }
  };
}

/**
 * Calls `listener` with each error that nobody handles, of a promise or thrown by a timer, which does
 * not end the process then. The returned function stops that.
 */
export function onUnhandled(listener: (error: unknown) => void): () => void {
  if (Deno) {
    const onEvent = (event: any) => {
      event.preventDefault();
      listener(event.type === "error" ? event.error : event.reason);
    };
    const types = ["error", "unhandledrejection"];
    for (const type of types) globalThis.addEventListener(type, onEvent);
    return () => types.forEach((type) => globalThis.removeEventListener(type, onEvent));
  }
  const onError = (error: unknown) => listener(error);
  const names = ["uncaughtException", "unhandledRejection"];
  for (const name of names) process.on(name, onError);
  return () => names.forEach((name) => process.off(name, onError));
}

/** The file descriptors of the standard streams. */
const DESCRIPTORS = { stdout: 1, stderr: 2 };
/** Streams that do not take text at once, and are written to as `process` does it. */
const slow = new Set<string>();
/** Streams that nobody reads any more. */
const unread = new Set<string>();

/**
 * Writes text to a standard stream. Text is whole when the call returns, also into a pipe; only Bun
 * writes what a slow reader has no room for later. What is written when nobody reads any more, as
 * after `| head`, is lost.
 */
export function writeStandard(stream: "stdout" | "stderr", text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length && !unread.has(stream);) {
    const rest = bytes.subarray(at);
    if (slow.has(stream)) return void process[stream].write(rest);
    at += writeOnce(stream, rest);
  }
}

/** How many of the bytes were taken. */
function writeOnce(stream: "stdout" | "stderr", bytes: Uint8Array): number {
  try {
    if (Deno) return Deno[stream].writeSync(bytes);
    if (Bun) return writeToSink(stream, bytes);
    return process.getBuiltinModule("node:fs").writeSync(DESCRIPTORS[stream], bytes);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EAGAIN" && !Deno) slow.add(stream);
    else if (nobodyReads(error)) unread.add(stream);
    else throw error;
    return 0;
  }
}

function nobodyReads(error: unknown): boolean {
  const { code, name } = error as { code?: string; name?: string };
  // A socket in the place of a pipe, as Node gives its children, is reset.
  return ["EPIPE", "ECONNRESET"].includes(code!) ||
    ["BrokenPipe", "ConnectionReset"].includes(name!);
}

/** Bun's own way to write to its standard streams. */
const sinks: Partial<Record<"stdout" | "stderr", any>> = {};
/** What sinks have taken and a slow reader has not. */
const unwritten = new Set<Promise<void>>();

/**
 * To touch `process.stdout` costs Bun 13 ms, and `node:fs` 3 ms. A sink takes all that it is given
 * and writes at once what fits; the rest keeps the process until it is written.
 */
function writeToSink(stream: "stdout" | "stderr", bytes: Uint8Array): number {
  const sink = sinks[stream] ??= Bun[stream].writer();
  sink.write(bytes);
  const flushed = sink.flush();
  if (!(flushed instanceof Promise)) return bytes.length;
  const later = flushed.then(() => {}, (error) => {
    if (!nobodyReads(error)) throw error;
    unread.add(stream);
  }).finally(() => unwritten.delete(later));
  unwritten.add(later);
  return bytes.length;
}

/** Resolves when what was written is out, which a slow reader can delay. */
export async function standardWritten(): Promise<void> {
  await Promise.all(unwritten);
}

/** Whether a standard stream is a terminal. */
export async function isTerminal(stream: "stdout" | "stderr"): Promise<boolean> {
  if (Deno) return Deno[stream].isTerminal();
  return await canBeTerminal(stream) && process[stream].isTTY === true;
}

/** A pipe, a file and the null device need not be asked further. */
async function canBeTerminal(stream: "stdout" | "stderr"): Promise<boolean> {
  try {
    const [status, none] = await Promise.all(Bun ? bunStatus(stream) : nodeStatus(stream));
    return status.isCharacterDevice() && status.rdev !== none?.rdev;
  } catch (error) {
    // The stream is closed.
    if ((error as { code?: string }).code === "EBADF") return false;
    throw error;
  }
}

/** The status of a stream, and that of the null device where there is one. */
function bunStatus(stream: "stdout" | "stderr"): Promise<any>[] {
  return [Bun[stream].stat(), Bun.file("/dev/null").stat().catch(() => undefined)];
}

function nodeStatus(stream: "stdout" | "stderr"): any[] {
  const { fstatSync, statSync } = process.getBuiltinModule("node:fs");
  return [fstatSync(DESCRIPTORS[stream]), statSync("/dev/null", { throwIfNoEntry: false })];
}

/** How large the terminal is now, if there is one that tells. */
export function terminalSize(): { columns: number; rows: number } | undefined {
  const size = Deno ? denoSize() : process.stdout;
  return size?.columns > 0 && size.rows > 0
    ? { columns: size.columns, rows: size.rows }
    : undefined;
}

function denoSize(): any {
  try {
    return Deno.consoleSize();
  } catch (_error) {
    // There is no terminal, which this asks for.
    return undefined;
  }
}

/** The path of the module that the process was started with. */
export function mainModulePath(): string | undefined {
  if (Bun) return Bun.main;
  if (!Deno) return process?.argv[1];
  try {
    return decodeURIComponent(new URL(Deno.mainModule).pathname);
  } catch (error) {
    // Without the permission to know, it is as good as another one.
    if (["NotCapable", "PermissionDenied"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** The runtime's name. */
export function runtimeName(): "deno" | "bun" | "node" {
  if (Deno) return "deno";
  return Bun ? "bun" : "node";
}
