import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import type { Env } from "./core.ts";

/** A server for the core, and what can be asked of it. */
export async function startCoreServer(): Promise<Env & AsyncDisposable> {
  const server = await createDevServer({
    ...referenceWorkload(),
    // With the quirk the server could not read MessagePack.
    quirks: { "msgpack-unreadable": false },
  });
  return {
    url: server.url,
    cut: () => server.faults.inject({ do: "cut" }),
    connections: () => Promise.resolve(server.faults.connections().length),
    [Symbol.asyncDispose]: () => server.close(),
  };
}
