import { banner } from "./_banner.ts";
import type { Fault } from "./faults/fault.ts";
import { fileUrl, loadWorkload } from "./load_workload.ts";
import type { DevServer } from "./options.ts";
import type { QuirkOptions } from "./quirks.ts";
import { createDevServer } from "./server.ts";

/** The port {@linkcode serve} listens on when none is said. */
export const DEFAULT_PORT = 8787;

/** Settings of {@linkcode serve}. */
export interface ServeOptions {
  /** A file of jobs and workflows; without one the reference workload is served. */
  file?: string;
  /**
   * The port to listen on; 0 is any that is free.
   * @default {DEFAULT_PORT}
   */
  port?: number;
  /**
   * The address to listen on.
   * @default {"127.0.0.1"}
   */
  host?: string;
  /**
   * Which of today's servers' oddities it has.
   * @default {"default"}
   */
  quirks?: QuirkOptions;
  /**
   * Whether to know the file's definitions anew when it changes. Connections stay, and work in
   * progress goes on with what it began with.
   * @default {false}
   */
  watch?: boolean;
  /** What goes wrong, and when. */
  faults?: readonly Fault[];
  /** What the chance in faults comes from. */
  seed?: number;
  /** Ends it. */
  signal: AbortSignal;
  /** Takes a line for the terminal. */
  print(line: string): void;
}

/**
 * Serves a file's jobs and workflows, or the reference workload, until the signal is aborted. Prints
 * the URL on a line of its own when it is ready.
 *
 * @throws {PortTakenError} When the port is taken.
 * @throws {WorkloadError} When the file is no workload.
 */
export async function serve(options: ServeOptions): Promise<void> {
  const { file, port = DEFAULT_PORT, host, quirks, faults, seed, signal, print } = options;
  const workload = file === undefined
    ? (await import("./reference_workload.ts")).referenceWorkload()
    : await loadWorkload(file);
  const server = await createDevServer({
    ...workload,
    port,
    hostname: host,
    quirks,
    faults,
    seed,
    log: print,
  });
  let unwatch = () => {};
  try {
    if (options.watch && file !== undefined) unwatch = await watch(server, file, print);
    for (const line of banner({ url: server.url, file, workload, faults: server.faults })) {
      print(line);
    }
    await aborted(signal);
  } finally {
    unwatch();
    await server.close();
  }
}

/** Knows a file's definitions anew whenever it changes; gives what ends that. */
async function watch(
  server: DevServer,
  file: string,
  print: (line: string) => void,
): Promise<() => void> {
  const url = fileUrl(file);
  const name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  let version = 0;
  const { watchDirectory } = await import("./_watch_directory.ts");
  return await watchDirectory(new URL(".", url), async (names) => {
    const others = [...names].filter((other) => other !== name && /\.[cm]?[jt]sx?$/.test(other));
    if (others.length > 0) {
      print(`${others.join(", ")} changed: what ${name} imports is known anew by a restart only`);
    }
    if (!names.has(name)) return;
    try {
      await server.reload(await loadWorkload(file, String(++version)));
      print(
        `${name} loaded anew; connections stay, work in progress goes on with what it began with`,
      );
    } catch (error) {
      print(`${name} not loaded, what was known stays: ${(error as Error).message}`);
    }
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
