import type { Listening, ListenOptions } from "./_socket.ts";

/** Listens, with what the runtime has: only its own adapter is loaded. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const globals = globalThis as { Deno?: unknown; Bun?: unknown };
  const adapter = globals.Bun
    ? await import("./_listen_bun.ts")
    : globals.Deno
    ? await import("./_listen_deno.ts")
    : await import("./_listen_node.ts");
  return await adapter.listen(options);
}
