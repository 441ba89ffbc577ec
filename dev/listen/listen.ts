import type { Listener, ListenOptions } from "./socket.ts";

/**
 * Listens on a port, with the HTTP server of the runtime. Only that runtime's adapter is loaded.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { Deno, Bun } = globalThis as { Deno?: unknown; Bun?: unknown };
  const adapter = Bun
    ? await import("./_bun.ts")
    : Deno
    ? await import("./_deno.ts")
    : await import("./_node.ts");
  return await adapter.listen(options);
}
