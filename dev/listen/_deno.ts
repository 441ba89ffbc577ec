import { systemClock } from "../../runtime/clock.ts";
import { terminate } from "../../runtime/terminate.ts";
import {
  handshakeProblem,
  handshakeResponse,
  isEndpoint,
  type Listening,
  type ListenOptions,
  PortTakenError,
  type ServerSocket,
} from "./socket.ts";

/** Listens on Deno. */
export function listen(options: ListenOptions): Promise<Listening> {
  const sockets = new Set<DenoSocket>();
  const serve = () =>
    Deno.serve(
      { hostname: options.hostname, port: options.port, onListen: () => {} },
      (request) => asksToUpgrade(request, options.path) ? upgrade(request) : options.fetch(request),
    );
  const upgrade = (request: Request): Response => {
    const problem = handshakeProblem((name) => request.headers.get(name), options.refuses);
    if (problem) return handshakeResponse(problem);
    // Without an idle timeout no pings are sent, as by a real server.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      const accepted = new DenoSocket(socket);
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

function asksToUpgrade(request: Request, path: string): boolean {
  return request.method === "GET" && request.headers.has("upgrade") &&
    isEndpoint(new URL(request.url).pathname, path);
}

class DenoSocket implements ServerSocket {
  readonly #socket: WebSocket;
  /** Whether it was terminated: Deno panics when such a socket is used before it tells its end. */
  #isGone = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
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
    else systemClock.setTimeout(() => this.drop(), 0);
  }

  terminate(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    terminate(this.#socket);
  }

  #isOpen(): boolean {
    return !this.#isGone && this.#socket.readyState === WebSocket.OPEN;
  }
}
