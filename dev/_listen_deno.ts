import { systemClock } from "../runtime/clock.ts";
import { terminate } from "../runtime/terminate.ts";
import {
  handshakeProblem,
  isEndpoint,
  type Listening,
  type ListenOptions,
  PortTakenError,
  type ServerSocket,
} from "./_socket.ts";

/** Listens on Deno. */
export function listen(options: ListenOptions): Promise<Listening> {
  const sockets = new Set<WebSocket>();
  const serve = () =>
    Deno.serve(
      { hostname: options.hostname, port: options.port, onListen: () => {} },
      (request) => isUpgrade(request, options) ? upgrade(request) : options.fetch(request),
    );
  const upgrade = (request: Request): Response => {
    // Without an idle timeout no pings are sent, as by a real server.
    const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      sockets.add(socket);
      const handler = options.open(new DenoSocket(socket));
      socket.onmessage = ({ data }) =>
        handler.message(typeof data === "string" ? data : new Uint8Array(data));
      socket.onclose = () => {
        sockets.delete(socket);
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
      for (const socket of sockets) terminate(socket);
      await server.shutdown();
    },
  });
}

function isUpgrade(request: Request, { path, refuses }: ListenOptions): boolean {
  if (request.method !== "GET" || !request.headers.has("upgrade")) return false;
  if (!isEndpoint(new URL(request.url).pathname, path)) return false;
  return !handshakeProblem((name) => request.headers.get(name), refuses);
}

class DenoSocket implements ServerSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(message);
  }

  buffered(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  drop(): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (this.#socket.bufferedAmount === 0) this.terminate();
    else systemClock.setTimeout(() => this.drop(), 0);
  }

  terminate(): void {
    terminate(this.#socket);
  }
}
