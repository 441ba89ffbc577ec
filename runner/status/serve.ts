import { serve as serveNode } from "@hono/node-server";
import type { AddressInfo } from "node:net";

/** A page that is served. */
export interface ServedPage {
  /** Its address. */
  url: string;
  /** Stops serving. Live pages are closed. */
  close(): Promise<void>;
}

/**
 * Serves an application. All runtimes have the HTTP server of Node.
 *
 * @throws {Error} If the address cannot be listened on.
 */
export function serve(
  fetch: (request: Request) => Response | Promise<Response>,
  hostname: string,
  port: number,
): Promise<ServedPage> {
  return new Promise((resolve, reject) => {
    const server = serveNode({ fetch, hostname, port }, (info) => {
      const address = info as AddressInfo;
      const host = address.family === "IPv6" ? `[${address.address}]` : address.address;
      resolve({
        url: `http://${host}:${address.port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ("closeAllConnections" in server) server.closeAllConnections();
          }),
      });
    });
    server.once("error", reject);
  });
}
