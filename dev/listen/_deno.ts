import type { Clock } from "../../runtime/clock.ts";
import { terminate } from "../../runtime/terminate.ts";
import {
  checkHandshake,
  isEndpoint,
  type Listener,
  type ListenOptions,
  PortTakenError,
  rejectionResponse,
  type ServerSocket,
} from "./socket.ts";

/** Listens on Deno. */
export function listen(options: ListenOptions): Promise<Listener> {
  const sockets = new Set<DenoSocket>();
  const serve = () =>
    Deno.serve(
      { hostname: options.hostname, port: options.port, onListen: () => {} },
      (request) => isUpgrade(request, options.path) ? upgrade(request) : options.fetch(request),
    );
  const upgrade = (request: Request): Response => {
    const rejection = checkHandshake((name) => request.headers.get(name), options.refuses);
    if (rejection) return rejectionResponse(rejection);
    // An idle timeout would make Deno send pings, which real servers do not.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const accepted = new DenoSocket(socket, options.clock);
      sockets.add(accepted);
      const handler = options.open(accepted);
      socket.onmessage = ({ data }) =>
        handler.message(typeof data === "string" ? data : new Uint8Array(data));
      socket.onclose = () => {
        sockets.delete(accepted);
        handler.closed();
      };
    };
    return response;
  };
  let server: ReturnType<typeof serve>;
  try {
    server = serve();
  } catch (cause) {
    if (cause instanceof Deno.errors.AddrInUse) {
      return Promise.reject(new PortTakenError(options.port, { cause }));
    }
    return Promise.reject(cause);
  }
  return Promise.resolve({
    port: server.addr.port,
    close: async () => {
      for (const socket of sockets) socket.terminate();
      await server.shutdown();
    },
  });
}

function isUpgrade(request: Request, path: string): boolean {
  return request.method === "GET" && request.headers.has("upgrade") &&
    isEndpoint(new URL(request.url).pathname, path);
}

class DenoSocket implements ServerSocket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  /** Whether it was terminated. Deno panics if such a socket is used before its close event. */
  #isTerminated = false;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isOpen()) this.#socket.send(message);
  }

  buffered(): number {
    return this.#isOpen() ? this.#socket.bufferedAmount : 0;
  }

  close(code: number, reason: string): void {
    if (this.#isOpen()) this.#socket.close(code, reason);
  }

  drop(): void {
    if (!this.#isOpen()) return;
    if (this.#socket.bufferedAmount === 0) this.terminate();
    else this.#clock.setTimeout(() => this.drop(), 0);
  }

  terminate(): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    terminate(this.#socket);
  }

  #isOpen(): boolean {
    return !this.#isTerminated && this.#socket.readyState === WebSocket.OPEN;
  }
}
