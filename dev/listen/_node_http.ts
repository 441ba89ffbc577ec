import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, TimerHandle } from "../../runtime/clock.ts";
import { listenError } from "./errors.ts";
import {
  checkHandshake,
  type HeaderReader,
  isEndpoint,
  type Rejection,
  type RequestHead,
} from "./handshake.ts";
import type { ListenOptions } from "./socket.ts";

/** A valid request to upgrade a connection to a WebSocket. */
export interface Upgrade {
  request: IncomingMessage;
  socket: Socket;
  /** The bytes that came after the request. */
  head: Uint8Array<ArrayBuffer>;
}

/** A server of `node:http` that is listening. */
export interface HttpListener {
  port: number;
  /**
   * Stops listening and drops every connection that was not upgraded.
   * @returns A promise that resolves when the others have closed, too.
   */
  close(): Promise<void>;
}

type Respond = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Listens with `node:http`, which Deno has too, and passes on the requests that are valid. */
export async function listenHttp(
  options: ListenOptions,
  onUpgrade: (upgrade: Upgrade) => void,
): Promise<HttpListener> {
  const sockets = new Set<Socket>();
  const idle = new IdleTimers(options.clock);
  let respond: Respond | undefined;
  const server = createServer(async (request, response) => {
    idle.clear(request.socket);
    response.on("close", () => sockets.has(request.socket) && idle.set(request.socket));
    const rejection = options.refuses(requestHead(request));
    if (rejection) return reject(response, rejection);
    if (!respond) {
      const { getRequestListener } = await import("@hono/node-server");
      respond ??= getRequestListener(options.fetch, { overrideGlobalObjects: false });
    }
    await respond(request, response);
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    idle.set(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      idle.clear(socket);
    });
  });
  server.on("upgrade", (request: IncomingMessage, stream: unknown, head: Uint8Array) => {
    const socket = stream as Socket;
    idle.clear(socket);
    // An upgrade takes the socket from the server, and with it the handler of errors.
    socket.on("error", () => socket.destroy());
    const rejection = upgradeRejection(request, options);
    if (rejection) return rejectUpgrade(socket, rejection);
    sockets.delete(socket);
    onUpgrade({ request, socket, head: head as Uint8Array<ArrayBuffer> });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause: Error) => reject(listenError(options, cause)));
    server.listen(options.port, options.hostname, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
}

/** How long a connection may take to send the head of a request. */
const HEAD_TIMEOUT_MS = 10_000;

/** Closes connections that send no request. Node waits a minute by itself, and Deno forever. */
class IdleTimers {
  readonly #clock: Clock;
  readonly #timers = new Map<Socket, TimerHandle>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts to wait for a request. */
  set(socket: Socket): void {
    this.clear(socket);
    this.#timers.set(socket, this.#clock.setTimeout(() => socket.destroy(), HEAD_TIMEOUT_MS));
  }

  /** Stops waiting: a request has come, or the connection has ended. */
  clear(socket: Socket): void {
    this.#clock.clearTimeout(this.#timers.get(socket));
    this.#timers.delete(socket);
  }
}

/** Reads the headers of a request; of a repeated one, the first. */
export function headerReader({ headers }: IncomingMessage): HeaderReader {
  return (name) => [headers[name]].flat()[0];
}

function requestHead(request: IncomingMessage): RequestHead {
  const { method = "", url = "/" } = request;
  return { method, target: url, header: headerReader(request) };
}

function upgradeRejection(request: IncomingMessage, options: ListenOptions): Rejection | undefined {
  const { header } = requestHead(request);
  const rejection = options.refuses(requestHead(request));
  if (rejection) return rejection;
  if (!isEndpoint(request.url ?? "/", options.path)) {
    return { status: 404, text: "404 page not found\n" };
  }
  if (request.method !== "GET") return { status: 405, text: "" };
  return checkHandshake(header) ?? options.refusesUpgrade();
}

function reject(response: ServerResponse, { status, text, headers }: Rejection): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers });
  response.end(text);
}

/** Writes the response to the socket, because Node has no response object for an upgrade. */
function rejectUpgrade(socket: Socket, { status, text, headers = {} }: Rejection): void {
  const lines = Object.entries({
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(text.length),
    "Connection": "close",
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${text}`);
  // A client that never closes its end must not keep the socket.
  socket.destroySoon();
}
