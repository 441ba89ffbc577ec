// deno-lint-ignore-file no-explicit-any

/** Thrown where code has called a function that would have ended the process. */
export class ExitCallError extends Error {
  /** Always `"exit_call"`. */
  readonly code = "exit_call";
  /** The call, such as `process.exit(0)`. */
  readonly call: string;

  /** Creates an error about a call. */
  constructor(call: string) {
    super(`\`${call}\` was called: a recipe must not end the process; return or throw instead`);
    this.name = "ExitCallError";
    this.call = call;
  }
}

/** Called with each call that would have ended the process. */
export type ExitCallListener = (error: ExitCallError) => void;

/** The functions of `process` that end the process or replace its program. */
const ENDING = ["exit", "reallyExit", "abort", "execve"];

const listeners: ExitCallListener[] = [];
/** The functions that are replaced, by their names, as in `process.exit`. */
const originals = new Map<string, { owner: any; name: string; run: (code?: unknown) => never }>();
/** The exit code, once {@linkcode realExit} ends the process. */
let exitCode: number | undefined;

/**
 * Replaces the functions that end the process, such as `process.exit`: they call `listener` and
 * throw. If there are several listeners, the one added last is called. Returns a function that
 * removes the listener.
 */
export function onExitCall(listener: ExitCallListener): () => void {
  if (listeners.length === 0) replaceAll();
  listeners.push(listener);
  return () => {
    const index = listeners.lastIndexOf(listener);
    if (index !== -1) listeners.splice(index, 1);
    if (listeners.length === 0) restoreAll();
  };
}

/** Ends the process with an exit code that no listener of the process's end can change. */
export function realExit(code: number): never {
  const { Deno, process } = globalThis as any;
  exitCode = code;
  if (originals.size === 0) replaceAll();
  if (Deno) {
    globalThis.addEventListener("unload", () => Deno.exitCode = code);
    return originals.get("Deno.exit")!.run(code);
  }
  process.on("exit", () => process.exitCode = code);
  return originals.get("process.exit")!.run(code);
}

function replaceAll(): void {
  const { Deno, process } = globalThis as any;
  if (Deno) replace(Deno, "Deno", "exit");
  for (const name of ENDING) {
    // `process.exit` calls `reallyExit`, also where a module has imported `exit` by its name.
    if (typeof process[name] === "function") replace(process, "process", name);
  }
}

function replace(owner: any, ownerName: string, name: string): void {
  const call = `${ownerName}.${name}`;
  const run = owner[name].bind(owner);
  originals.set(call, { owner, name, run });
  owner[name] = function intercepted(...args: unknown[]): never {
    if (exitCode !== undefined) {
      return (originals.get("Deno.exit") ?? originals.get("process.reallyExit")!).run(exitCode);
    }
    const { process } = globalThis as any;
    const isExit = name === "reallyExit" && process._exiting;
    if (isExit) process._exiting = false;
    const [code] = args;
    const shown = typeof code === "number" || typeof code === "string" ? String(code) : "";
    const error = new ExitCallError(`${isExit ? "process.exit" : call}(${shown})`);
    (Error as any).captureStackTrace?.(error, intercepted);
    listeners.at(-1)?.(error);
    throw error;
  };
}

function restoreAll(): void {
  for (const { owner, name, run } of originals.values()) owner[name] = run;
  originals.clear();
}
