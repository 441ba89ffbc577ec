import type { Clock } from "../../runtime/clock.ts";
import {
  checkHandshake,
  isEndpoint,
  type Listener,
  type ListenOptions,
  PortTakenError,
  rejectionResponse,
  type ServerSocket,
  type SocketHandler,
} from "./socket.ts";

/** The part of Bun's API that is used here, because Deno checks this file without Bun's types. */
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
export function listen(options: ListenOptions): Promise<Listener> {
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
          const rejection = checkHandshake((name) => headers.get(name), options.refuses);
          if (rejection) return rejectionResponse(rejection);
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
          socket.data.handler = options.open(new BunSocket(socket, options.clock));
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
  readonly #clock: Clock;
  #hasEnded = false;

  constructor(socket: BunWebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (!this.#hasEnded) this.#socket.send(message);
  }

  buffered(): number {
    return this.#socket.getBufferedAmount();
  }

  close(code: number, reason: string): void {
    this.#hasEnded = true;
    this.#socket.close(code, reason);
  }

  drop(): void {
    if (this.#socket.getBufferedAmount() === 0) this.terminate();
    else this.#clock.setTimeout(() => this.drop(), 1);
  }

  terminate(): void {
    this.#hasEnded = true;
    this.#socket.terminate();
  }
}
