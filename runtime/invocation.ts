// deno-lint-ignore-file no-explicit-any
import { currentDirectory, readEnv, runtimeName } from "./process.ts";

/** How this process was started, as far as it can be known. */
export interface Invocation {
  /** The runtime that runs it. */
  runtime: "deno" | "bun" | "node";
  /** The main module: a path, or on Deno a URL. On Node it can be the link that was called. */
  main: string | undefined;
  /** The words that started the process; only Deno on Linux knows them. */
  words: readonly string[];
  /** The word by which the process was called, if the runtime knows it: a name or a path. */
  called?: string | undefined;
  /** The executable of the process. */
  executable: string;
  /** The working directory. */
  directory: string;
  /** Returns an environment variable. */
  env(name: string): string | undefined;
  /** Whether there is a file at a path. */
  exists(path: string): boolean;
}

/** Returns how this process was started. */
export function invocation(): Invocation {
  const { Deno, process } = globalThis as any;
  const runtime = runtimeName();
  const common = { runtime, directory: currentDirectory(), env: readEnv };
  if (runtime !== "deno") {
    return {
      ...common,
      main: process.argv[1],
      called: process.argv0,
      words: [],
      executable: process.execPath,
      exists: process.getBuiltinModule("node:fs").existsSync,
    };
  }
  return {
    ...common,
    main: permitted(() => Deno.mainModule as string),
    words: permitted(() => Deno.readTextFileSync("/proc/self/cmdline") as string)?.split("\0") ??
      [],
    executable: permitted(() => Deno.execPath() as string) ?? "deno",
    exists: (path) => permitted(() => Deno.statSync(path)) !== undefined,
  };
}

/** Returns what a function does; `undefined` if there is no such file, or no permission. */
function permitted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (_error) {
    // A name that cannot be found out is left out: this is only for hints.
    return undefined;
  }
}
