// deno-lint-ignore-file no-explicit-any
import { realExit } from "./exit_calls.ts";

const { Deno, Bun } = globalThis as any;
// Deno has a `process` too, but loading it on first use takes 13 ms.
const process = Deno ? undefined : (globalThis as any).process;

/** Returns the value of an environment variable. */
export function readEnv(name: string): string | undefined {
  if (!Deno) return process?.env?.[name];
  try {
    return Deno.env.get(name);
  } catch (error) {
    // Without the permission, as with `--deny-env`, the variable counts as not set.
    if (["NotCapable", "PermissionDenied"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** Returns the arguments of the command line. */
export function processArgs(): string[] {
  return Deno ? [...Deno.args] : process.argv.slice(2);
}

/** Returns the working directory. */
export function currentDirectory(): string {
  return Deno ? Deno.cwd() : process.cwd();
}

/** Sets the exit code for when the process ends without a call of {@linkcode exitNow}. */
export function setExitCode(code: number): void {
  if (Deno) Deno.exitCode = code;
  else process.exitCode = code;
}

/** Ends the process at once. */
export function exitNow(code: number): never {
  return realExit(code);
}

/**
 * Calls `listener` when the process ends, also with {@linkcode exitNow}. The listener must be
 * synchronous. Returns a function that removes it.
 */
export function onExit(listener: () => void): () => void {
  if (Deno) {
    globalThis.addEventListener("unload", listener);
    return () => globalThis.removeEventListener("unload", listener);
  }
  process.on("exit", listener);
  return () => process.off("exit", listener);
}

/** A signal that asks the process to end. */
export type EndSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** Calls `listener` on each {@linkcode EndSignal}; returns a function that removes it. */
export function onEndSignal(listener: (signal: EndSignal) => void): () => void {
  const signals: EndSignal[] = ["SIGINT", "SIGTERM", "SIGHUP"];
  const handlers = signals.map((signal) => () => listener(signal));
  // Deno cannot listen to SIGTERM on Windows, where neither it nor SIGHUP exists.
  const count = Deno?.build.os === "windows" ? 1 : signals.length;
  for (let i = 0; i < count; i++) {
    if (Deno) Deno.addSignalListener(signals[i], handlers[i]);
    else process.on(signals[i], handlers[i]);
  }
  return () => {
    for (let i = 0; i < count; i++) {
      if (Deno) Deno.removeSignalListener(signals[i], handlers[i]);
      else process.off(signals[i], handlers[i]);
    }
  };
}

const unhandledListeners: ((error: unknown) => void)[] = [];
let stopListening = () => {};

/**
 * Calls `listener` with each unhandled error or rejection, which does not end the process then. If
 * there are several listeners, the one added last is called. Returns a function that removes the
 * listener.
 */
export function onUnhandled(listener: (error: unknown) => void): () => void {
  if (unhandledListeners.length === 0) {
    stopListening = listenToUnhandled((error) => unhandledListeners.at(-1)?.(error));
  }
  unhandledListeners.push(listener);
  return () => {
    const index = unhandledListeners.lastIndexOf(listener);
    if (index !== -1) unhandledListeners.splice(index, 1);
    if (unhandledListeners.length === 0) stopListening();
  };
}

function listenToUnhandled(listener: (error: unknown) => void): () => void {
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

const encoder = new TextEncoder();

/** The file descriptors of the standard streams. */
const DESCRIPTORS = { stdout: 1, stderr: 2 };
/** Streams that cannot be written synchronously. */
const slow = new Set<string>();
/** Streams whose reader has closed them, or that cannot be written. */
const unread = new Set<string>();
/** Why text was lost, by stream. */
const failures = new Map<string, string>();

/**
 * Writes text to a standard stream. All of it is written when the call returns, also to a pipe,
 * except on Bun when the reader is slow. Text for a reader that has closed the pipe, such as
 * `| head`, is discarded. If the stream cannot be written, as with a full disk, standard error says
 * so once; {@linkcode standardFailure} returns why.
 */
export function writeStandard(stream: "stdout" | "stderr", text: string): void {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length && !unread.has(stream);) {
    const rest = bytes.subarray(at);
    if (slow.has(stream)) return void process[stream].write(rest);
    at += writeOnce(stream, rest);
  }
}

/** Returns how many bytes were written. */
function writeOnce(stream: "stdout" | "stderr", bytes: Uint8Array): number {
  try {
    if (Deno) return Deno[stream].writeSync(bytes);
    if (Bun) return writeToSink(stream, bytes);
    return process.getBuiltinModule("node:fs").writeSync(DESCRIPTORS[stream], bytes);
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "EAGAIN" && !Deno) slow.add(stream);
    else failOn(stream, error);
    return 0;
  }
}

/** Whether nobody reads a stream any more, or it cannot be written. */
export function isClosed(stream: "stdout" | "stderr"): boolean {
  return unread.has(stream);
}

/** Returns why text for a stream was lost; `undefined` if none was, or nobody reads it. */
export function standardFailure(stream: "stdout" | "stderr"): string | undefined {
  return failures.get(stream);
}

/** Gives up writing to a stream after an error. */
function failOn(stream: "stdout" | "stderr", error: unknown): void {
  if (unread.has(stream)) return;
  unread.add(stream);
  if (hasNoReader(error)) return;
  const { code, message } = error as Error & { code?: string };
  const reason = code === "ENOSPC" ? "no space left on the device" : message;
  failures.set(stream, reason);
  if (stream === "stdout") {
    writeStandard("stderr", `error: cannot write to standard output: ${reason}\n`);
  }
}

function hasNoReader(error: unknown): boolean {
  const { code, name } = error as { code?: string; name?: string };
  // Node gives its child processes sockets instead of pipes; those are reset.
  return ["EPIPE", "ECONNRESET"].includes(code!) ||
    ["BrokenPipe", "ConnectionReset"].includes(name!);
}

/** Bun's writers of the standard streams. */
const sinks: Partial<Record<"stdout" | "stderr", any>> = {};
/** Pending writes to slow readers. */
const unwritten = new Set<Promise<void>>();

/**
 * Writes to a sink, because loading `process.stdout` takes Bun 13 ms, and `node:fs` 3 ms. A sink
 * accepts everything and writes what fits at once; the rest keeps the process alive until written.
 */
function writeToSink(stream: "stdout" | "stderr", bytes: Uint8Array): number {
  const sink = sinks[stream] ??= Bun[stream].writer();
  // A long text is written at once, so that `write` can fail, too.
  for (const result of [sink.write(bytes), sink.flush()]) {
    if (!(result instanceof Promise)) continue;
    const later = result.then(() => {}, (error) => failOn(stream, error))
      .finally(() => unwritten.delete(later));
    unwritten.add(later);
  }
  return bytes.length;
}

/** Resolves when everything was written, which a slow reader can delay. */
export async function standardWritten(): Promise<void> {
  await Promise.all(unwritten);
}

/** Returns whether a standard stream is a terminal. */
export async function isTerminal(stream: "stdout" | "stderr"): Promise<boolean> {
  if (Deno) return Deno[stream].isTerminal();
  return await canBeTerminal(stream) && process[stream].isTTY === true;
}

/** Returns false for pipes, files and the null device, to avoid loading `process.stdout`. */
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

/** Returns the status of a stream, and that of the null device if there is one. */
function bunStatus(stream: "stdout" | "stderr"): Promise<any>[] {
  return [Bun[stream].stat(), Bun.file("/dev/null").stat().catch(() => undefined)];
}

function nodeStatus(stream: "stdout" | "stderr"): any[] {
  const { fstatSync, statSync } = process.getBuiltinModule("node:fs");
  return [fstatSync(DESCRIPTORS[stream]), statSync("/dev/null", { throwIfNoEntry: false })];
}

/** Returns the current size of the terminal, if it is known. */
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
    // There is no terminal.
    return undefined;
  }
}

/** Returns the path of the main module. */
export function mainModulePath(): string | undefined {
  if (Bun) return Bun.main;
  if (!Deno) return process?.argv[1];
  try {
    return decodeURIComponent(new URL(Deno.mainModule).pathname);
  } catch (error) {
    // Without the permission to know it, no module is the main module.
    if (["NotCapable", "PermissionDenied"].includes((error as Error).name)) return undefined;
    throw error;
  }
}

/** Returns the name of the runtime. */
export function runtimeName(): "deno" | "bun" | "node" {
  if (Deno) return "deno";
  return Bun ? "bun" : "node";
}
