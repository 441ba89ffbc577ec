import {
  createDevServer,
  type DevServer,
  type DevServerOptions,
  referenceWorkload,
} from "../../dev/mod.ts";
import { Dispatch, type DispatchOptions } from "../../mod.ts";

/** A server with the reference workload. */
export function startServer(options: DevServerOptions = {}): Promise<DevServer> {
  return createDevServer({ ...referenceWorkload(), ...options });
}

/** A server and what is connected to it; everything is closed at the end of the test. */
export interface Fixture extends AsyncDisposable {
  server: DevServer;
  client: Dispatch;
  /** Another client of the same server. */
  connect(options?: Partial<DispatchOptions>): Promise<Dispatch>;
}

/** A client of a server with the reference workload. */
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
