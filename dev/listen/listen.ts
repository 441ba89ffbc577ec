import type { Listening, ListenOptions } from "./socket.ts";

/** Listens, with what the runtime has: only its own adapter is loaded. */
export async function listen(options: ListenOptions): Promise<Listening> {
  const globals = globalThis as { Deno?: unknown; Bun?: unknown };
  const adapter = globals.Bun
    ? await import("./_bun.ts")
    : globals.Deno
    ? await import("./_deno.ts")
    : await import("./_node.ts");
  return await adapter.listen(options);
}
