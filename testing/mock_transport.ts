import type { DevServer } from "../dev/mod.ts";
import { checkArgument } from "../dev/options_error.ts";

/** A frame that a {@linkcode MockTransport} recorded. */
export interface MockFrame {
  /** The number of the connection, from 0. */
  connection: number;
  /** `sent` by the client, or `received` from the server. */
  direction: "sent" | "received";
  /** The parsed JSON of a text message, or the bytes of a binary one. */
  // deno-lint-ignore no-explicit-any
  frame: any;
}

/**
 * Connects clients to a server in the same process without a socket, and records every frame.
 *
 * @example
 * ```ts
 * import { Dispatch } from "@dispatch/sdk";
 * import { createDevServer } from "@dispatch/sdk/dev";
 * import { MockTransport } from "@dispatch/sdk/testing";
 *
 * await using server = await createDevServer({ listen: false });
 * const transport = new MockTransport(server);
 * await using client = new Dispatch({
 *   url: server.url,
 *   token: "demo-token",
 *   webSocket: transport.webSocket,
 * });
 * await client.connect();
 * transport.frames[0]!.frame.method; // "auth"
 * ```
 */
export class MockTransport {
  /** The frames in the order they were sent and received. */
  readonly frames: MockFrame[] = [];
  readonly #server: DevServer;
  #connections = 0;

  /** Creates a transport to a server. */
  constructor(server: DevServer) {
    checkArgument("create mock transport", "server", server, aServer);
    this.#server = server;
  }

  /** The methods of the requests that the client sent, in order. */
  get methods(): string[] {
    return this.frames.flatMap(({ direction, frame }) =>
      direction === "sent" && typeof frame.method === "string" ? frame.method : []
    );
  }

  /** Opens a connection. Pass it to a client as its `webSocket` option. */
  readonly webSocket = (url: string): WebSocket => {
    const connection = this.#connections++;
    const socket = this.#server.webSocket(url);
    const record = (direction: MockFrame["direction"], data: unknown) => {
      this.frames.push({ connection, direction, frame: parse(data) });
    };
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      record("sent", data);
      send(data);
    };
    socket.addEventListener("message", ({ data }) => record("received", data));
    return socket;
  };
}

function parse(data: unknown): unknown {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    // Tests may send messages that are not JSON.
    return data;
  }
}

function aServer(value: unknown): string | undefined {
  const { webSocket } = Object(value);
  return typeof webSocket === "function" ? undefined : "a server made by createDevServer";
}
