import type { Clock } from "../../runtime/clock.ts";
import { listenError } from "./errors.ts";
import { checkHandshake, isEndpoint, rejectionResponse } from "./handshake.ts";
import {
  type Listener,
  type ListenOptions,
  MAX_MESSAGE_BYTES,
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
    development: boolean;
    reusePort: boolean;
    fetch(
      request: Request,
      server: BunServer,
    ): Response | Promise<Response> | undefined;
    error(error: unknown): Response;
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
      development: false,
      // Otherwise two servers could share a port, unless this is development.
      reusePort: false,
      fetch(request, server) {
        const header = (name: string) => request.headers.get(name);
        const refused = options.refuses({ method: request.method, target: request.url, header });
        if (refused) return rejectionResponse(refused);
        const isUpgrade = request.method === "GET" && header("upgrade") !== null;
        if (!isUpgrade || !isEndpoint(request.url, options.path)) return options.fetch(request);
        const rejection = checkHandshake(header) ?? options.refusesUpgrade();
        if (rejection) return rejectionResponse(rejection);
        if (server.upgrade(request, { data: {} })) return undefined;
        return rejectionResponse({ status: 400, text: "handshake error" });
      },
      // Without this, Bun answers with a page that shows the source.
      error: () => new Response("internal error\n", { status: 500 }),
      websocket: {
        idleTimeout: 0,
        sendPings: false,
        maxPayloadLength: MAX_MESSAGE_BYTES,
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
    return Promise.reject(listenError(options, cause));
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
