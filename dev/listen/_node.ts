import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import * as ws from "ws";
import type { Clock } from "../../runtime/clock.ts";
import { listenHttp } from "./_node_http.ts";
import {
  type Listener,
  type ListenOptions,
  MAX_MESSAGE_BYTES,
  type ServerSocket,
} from "./socket.ts";

/** The part of the API of `ws` that is used here. */
interface NodeWebSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(message: string | Uint8Array): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): void;
  on(event: "close" | "error", listener: () => void): void;
}

interface NodeWebSocketServer {
  readonly clients: Set<NodeWebSocket>;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    done: (socket: NodeWebSocket) => void,
  ): void;
}

const { WebSocketServer } = ws as unknown as {
  WebSocketServer: new (
    options: { noServer: true; maxPayload: number; perMessageDeflate: false },
  ) => NodeWebSocketServer;
};

const OPEN = 1;
/** Keeps a byte order mark, so that it is rejected as by a Go server. */
const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Listens on Node. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  const listener = await listenHttp(options, ({ request, socket, head }) => {
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      const handler = options.open(new NodeSocket(accepted, options.clock));
      accepted.on("message", (data, isBinary) => {
        handler.message(isBinary ? data : UTF8.decode(data));
      });
      accepted.on("close", () => handler.closed());
      // The "close" event that follows is handled.
      accepted.on("error", () => {});
    });
  });
  return {
    port: listener.port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      await listener.close();
    },
  };
}

class NodeSocket implements ServerSocket {
  readonly #socket: NodeWebSocket;
  readonly #clock: Clock;

  constructor(socket: NodeWebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === OPEN) this.#socket.send(message);
  }

  buffered(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  drop(): void {
    if (this.#socket.readyState !== OPEN) return;
    if (this.#socket.bufferedAmount === 0) this.terminate();
    else this.#clock.setTimeout(() => this.drop(), 0);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}
