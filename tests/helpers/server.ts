import {
  createDevServer,
  type DevServer,
  type DevServerOptions,
  referenceWorkload,
} from "../../dev/mod.ts";
import { Dispatch, type DispatchOptions } from "../../mod.ts";

/** Starts a server with the reference workload. */
export function startServer(options: DevServerOptions = {}): Promise<DevServer> {
  return createDevServer({ ...referenceWorkload(), ...options });
}

/** A server and its clients, which are closed together. */
export interface Fixture extends AsyncDisposable {
  server: DevServer;
  client: Dispatch;
  /** Connects another client to the server. */
  connect(options?: Partial<DispatchOptions>): Promise<Dispatch>;
}

/** Starts a server with the reference workload and connects a client. */
export async function connected(
  options: Partial<DispatchOptions> = {},
  serverOptions: DevServerOptions = {},
): Promise<Fixture> {
  const server = await startServer(serverOptions);
  const clients: Dispatch[] = [];
  const connect = async (more: Partial<DispatchOptions> = {}): Promise<Dispatch> => {
    const client = await Dispatch.connect({ url: server.url, token: "demo-token", ...more });
    clients.push(client);
    return client;
  };
  const client = await connect(options);
  return {
    server,
    client,
    connect,
    async [Symbol.asyncDispose]() {
      for (const each of clients) await each.close();
      await server.close();
    },
  };
}
