import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import * as ws from "ws";
import type { Clock } from "../../runtime/clock.ts";
import {
  checkHandshake,
  isEndpoint,
  type Listener,
  type ListenOptions,
  PortTakenError,
  type Rejection,
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
    maxPayload: 2 ** 28,
    perMessageDeflate: false,
  });
  let respond: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined;
  const server = createServer(async (request, response) => {
    if (!respond) {
      const { getRequestListener } = await import("@hono/node-server");
      respond ??= getRequestListener(options.fetch, { overrideGlobalObjects: false });
    }
    await respond(request, response);
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    if (!isEndpoint(pathname, options.path)) {
      return rejectUpgrade(socket, { status: 404, text: "404 page not found\n" });
    }
    const header = (name: string) => [request.headers[name]].flat()[0];
    const rejection = checkHandshake(header, options.refuses);
    if (rejection) return rejectUpgrade(socket, rejection);
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
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: Error & { code?: string }) => {
      reject(cause.code === "EADDRINUSE" ? new PortTakenError(options.port, { cause }) : cause);
    });
    server.listen(options.port, options.hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Writes the response to the socket, because Node has no response object for an upgrade. */
function rejectUpgrade(socket: Duplex, { status, text, headers = {} }: Rejection): void {
  const lines = Object.entries({
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(text.length),
    "Connection": "close",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`);
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
