import { systemClock } from "../../runtime/clock.ts";
import {
  handshakeProblem,
  handshakeResponse,
  isEndpoint,
  type Listening,
  type ListenOptions,
  PortTakenError,
  type ServerSocket,
  type SocketHandler,
} from "./socket.ts";

/** The part of Bun that is needed here; this file is checked where its types are not known. */
interface BunWebSocket {
  data: { handler?: SocketHandler };
  send(message: string | Uint8Array): number;
  getBufferedAmount(): number;
  close(code: number, reason: string): void;
  terminate(): void;
}

interface BunServer {
  port: number;
  upgrade(request: Request, options: { data: BunWebSocket["data"] }): boolean;
  stop(closeActive: boolean): Promise<void>;
}

interface BunRuntime {
  serve(options: {
    hostname: string;
    port: number;
    idleTimeout: number;
    fetch(
      request: Request,
      server: BunServer,
    ): Response | Promise<Response> | undefined;
    websocket: {
      idleTimeout: number;
      sendPings: boolean;
      maxPayloadLength: number;
      backpressureLimit: number;
      open(socket: BunWebSocket): void;
      message(socket: BunWebSocket, data: string | Uint8Array): void;
      close(socket: BunWebSocket): void;
    };
  }): BunServer;
}

/** Listens on Bun. */
export function listen(options: ListenOptions): Promise<Listening> {
  const { Bun } = globalThis as unknown as { Bun: BunRuntime };
  const sockets = new Set<BunWebSocket>();
  let server: BunServer;
  try {
    server = Bun.serve({
      hostname: options.hostname,
      port: options.port,
      idleTimeout: 0,
      fetch(request, server) {
        const { headers } = request;
        if (headers.has("upgrade") && isEndpoint(new URL(request.url).pathname, options.path)) {
          const problem = handshakeProblem((name) => headers.get(name), options.refuses);
          if (problem) return handshakeResponse(problem);
          if (server.upgrade(request, { data: {} })) return undefined;
        }
        return options.fetch(request);
      },
      websocket: {
        idleTimeout: 0,
        sendPings: false,
        maxPayloadLength: 2 ** 28,
        backpressureLimit: 2 ** 30,
        open(socket) {
          sockets.add(socket);
          socket.data.handler = options.open(new BunSocket(socket));
        },
        message(socket, data) {
          socket.data.handler?.message(data);
        },
        close(socket) {
          sockets.delete(socket);
          socket.data.handler?.closed();
        },
      },
    });
  } catch (cause) {
    if ((cause as { code?: string }).code === "EADDRINUSE") {
      return Promise.reject(new PortTakenError(options.port, { cause }));
    }
    return Promise.reject(cause);
  }
  return Promise.resolve({
    port: server.port,
    close: async () => {
      for (const socket of sockets) socket.terminate();
      await server.stop(true);
    },
  });
}

class BunSocket implements ServerSocket {
  readonly #socket: BunWebSocket;
  #over = false;

  constructor(socket: BunWebSocket) {
    this.#socket = socket;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#over) this.#socket.send(message);
  }

  buffered(): number {
    return this.#socket.getBufferedAmount();
  }

  close(code: number, reason: string): void {
    this.#over = true;
    this.#socket.close(code, reason);
  }

  drop(): void {
    if (this.#socket.getBufferedAmount() === 0) this.terminate();
    else systemClock.setTimeout(() => this.drop(), 1);
  }

  terminate(): void {
    this.#over = true;
    this.#socket.terminate();
  }
}
