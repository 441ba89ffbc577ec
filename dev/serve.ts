import { type Clock, systemClock } from "../runtime/clock.ts";
import { banner } from "./_banner.ts";
import type { Fault } from "./faults/fault.ts";
import { fileUrl, loadWorkload } from "./load_workload.ts";
import { checkOptions } from "./options_error.ts";
import type { DevServer } from "./options.ts";
import type { QuirkOptions } from "./quirks.ts";
import { SERVE_RULES } from "./server_options.ts";
import { createDevServer } from "./server.ts";

/** The default port of {@linkcode serve}. */
export const DEFAULT_PORT = 8787;

/** Settings of {@linkcode serve}. */
export interface ServeOptions {
  /**
   * A file that exports jobs and workflows.
   * @default {the reference workload}
   */
  file?: string;
  /**
   * The port to listen on; 0 picks a free one.
   * @default {DEFAULT_PORT}
   */
  port?: number;
  /**
   * The address to listen on.
   * @default {"127.0.0.1"}
   */
  host?: string;
  /**
   * The origins of pages that may connect, besides those of this machine. See
   * {@linkcode DevServerOptions.allowOrigins}.
   * @default {[]}
   */
  allowOrigins?: readonly string[];
  /**
   * The quirks of real servers to imitate.
   * @default {"default"}
   */
  quirks?: QuirkOptions;
  /**
   * Whether to reload the file when it changes. Connections stay open, and work in progress
   * continues with the definitions it began with.
   * @default {false}
   */
  watch?: boolean;
  /** The faults to inject. */
  faults?: readonly Fault[];
  /** Seeds the random choices of faults. */
  seed?: number;
  /**
   * The clock; `"virtual"` creates one that skips the time that handlers sleep.
   * @default {systemClock}
   */
  clock?: Clock | "virtual";
  /** Stops the server. */
  signal: AbortSignal;
  /** Prints a line to the terminal. */
  print(line: string): void;
}

/**
 * Serves a file's jobs and workflows, or the reference workload, until the signal aborts. When the
 * server is ready, it prints a banner with the URL on its own line.
 *
 * @example
 * ```ts
 * import { serve } from "@dispatch/sdk/dev";
 *
 * const controller = new AbortController();
 * const lines: string[] = [];
 * const print = (line: string) => {
 *   lines.push(line);
 *   controller.abort();
 * };
 * await serve({ port: 0, signal: controller.signal, print });
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 * @throws {ListenError} If it cannot listen; a {@linkcode PortTakenError} if the port is taken.
 * @throws {WorkloadError} If the file cannot be loaded as a workload.
 */
export async function serve(options: ServeOptions): Promise<void> {
  checkOptions("start dev server", options, SERVE_RULES);
  const { file, port = DEFAULT_PORT, host, quirks, faults, seed, signal, print } = options;
  const { allowOrigins } = options;
  const isVirtual = options.clock === "virtual";
  const clock = isVirtual || !options.clock ? systemClock : options.clock as Clock;
  const workload = file === undefined
    ? (await import("./reference_workload.ts")).referenceWorkload()
    : await loadWorkload(file);
  const server = await createDevServer({
    ...workload,
    port,
    hostname: host,
    allowOrigins,
    quirks,
    faults,
    seed,
    clock: isVirtual ? await startVirtualClock(clock) : clock,
    log: print,
  });
  let unwatch = () => {};
  try {
    if (options.watch && file !== undefined) unwatch = await watch(server, file, clock, print);
    const { url, faults } = server;
    for (const line of banner({ url, file, workload, faults, isVirtual })) {
      print(line);
    }
    await aborted(signal);
  } finally {
    unwatch();
    await server.close();
  }
}

/** Creates a virtual clock that starts at the time of another one. */
async function startVirtualClock(clock: Clock): Promise<Clock> {
  const { createVirtualClock } = await import("./virtual_clock.ts");
  return createVirtualClock({ start: new Date(clock.now()) });
}

/** Reloads a file whenever it changes; returns a function that stops that. */
async function watch(
  server: DevServer,
  file: string,
  clock: Clock,
  print: (line: string) => void,
): Promise<() => void> {
  const url = fileUrl(file);
  const name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf("/") + 1));
  let version = 0;
  const { watchDirectory } = await import("./_watch_directory.ts");
  return await watchDirectory(new URL(".", url), clock, async (names) => {
    const others = [...names].filter((other) => other !== name && /\.[cm]?[jt]sx?$/.test(other));
    if (others.length > 0) {
      print(`${others.join(", ")} changed: restart to reload files that ${name} imports`);
    }
    if (!names.has(name)) return;
    try {
      await server.reload(await loadWorkload(file, String(++version)));
      print(`${name} reloaded; work in progress continues with the definitions it began with`);
    } catch (error) {
      print(`${name} not reloaded, its last version stays: ${(error as Error).message}`);
    }
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
