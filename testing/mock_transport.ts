import type { DevServer } from "../dev/mod.ts";

/** A frame that went over a {@linkcode MockTransport}. */
export interface MockFrame {
  /** Which of the transport's connections it went over, from 0. */
  connection: number;
  /** `sent` is from the client, `received` from the server. */
  direction: "sent" | "received";
  /** The frame: the parsed JSON of a text frame, the bytes of a binary one. */
  // deno-lint-ignore no-explicit-any
  frame: any;
}

/**
 * Connects clients to a server of the same process with no socket at all, and notes what passes.
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
  /** What has passed, in its order. */
  readonly frames: MockFrame[] = [];
  readonly #server: DevServer;
  #connections = 0;

  /** Connects to this server. */
  constructor(server: DevServer) {
    this.#server = server;
  }

  /** The methods of the requests that were sent, in their order. */
  get methods(): string[] {
    return this.frames.flatMap(({ direction, frame }) =>
      direction === "sent" && typeof frame.method === "string" ? frame.method : []
    );
  }

  /** Makes a connection: a client's `webSocket` option. */
  readonly webSocket = (url: string): WebSocket => {
    const connection = this.#connections++;
    const socket = this.#server.webSocket(url);
    const note = (direction: MockFrame["direction"], data: unknown) => {
      this.frames.push({ connection, direction, frame: parsed(data) });
    };
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      note("sent", data);
      send(data);
    };
    socket.addEventListener("message", ({ data }) => note("received", data));
    return socket;
  };
}

function parsed(data: unknown): unknown {
  if (typeof data !== "string") return data;
  try {
    return JSON.parse(data);
  } catch {
    // A client may well be tested with a frame that is none.
    return data;
  }
}
