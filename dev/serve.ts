import { banner } from "./_banner.ts";
import { loadWorkload } from "./load_workload.ts";
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
  const { file, port = DEFAULT_PORT, host, quirks, signal, print } = options;
  const workload = file === undefined
    ? (await import("./reference.ts")).referenceWorkload()
    : await loadWorkload(file);
  const server = await createDevServer({ ...workload, port, hostname: host, quirks, log: print });
  try {
    for (const line of banner({ url: server.url, file, workload })) print(line);
    await aborted(signal);
  } finally {
    await server.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
