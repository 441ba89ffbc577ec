/** A WebSocket that a server has accepted, the same on every runtime. */
export interface ServerSocket {
  /** Sends a text frame, or a binary one. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** How many bytes wait to be written. */
  buffered(): number;
  /** Closes with a close frame. */
  close(code: number, reason: string): void;
  /** Ends the connection without a close frame, once what was sent is written. */
  drop(): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** What a server does with a socket. */
export interface SocketHandler {
  /** A message came. */
  message(data: string | Uint8Array): void;
  /** The connection is gone. */
  closed(): void;
}

/** What an adapter listens for. */
export interface ListenOptions {
  hostname: string;
  port: number;
  /** The path of the WebSocket endpoint. */
  path: string;
  /** A WebSocket was opened. */
  open(socket: ServerSocket): SocketHandler;
  /** Any other request; also an upgrade that is refused. */
  fetch(request: Request): Response | Promise<Response>;
  /** The status that an upgrade is refused with, if it is. */
  refuses(
    origin: string | null | undefined,
    host: string | null | undefined,
  ): number | undefined;
}

/** Why a request does not become a WebSocket. */
export interface HandshakeProblem {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

const bad = (name: string) => `handshake error: bad "${name}" header`;

/** What a request is told that does not ask to become a WebSocket. */
export const NO_UPGRADE: HandshakeProblem = { status: 400, text: bad("Upgrade") };

/** What is wrong with an upgrade's headers, or `undefined` when nothing is. */
export function handshakeProblem(
  header: (name: string) => string | null | undefined,
  refuses: ListenOptions["refuses"],
): HandshakeProblem | undefined {
  const bad = (name: string) => `handshake error: bad "${name}" header`;
  if (header("upgrade")?.toLowerCase() !== "websocket") {
    return { status: 400, text: bad("Upgrade") };
  }
  if (header("sec-websocket-key")?.length !== 24) {
    return { status: 400, text: bad("Sec-WebSocket-Key") };
  }
  if (header("sec-websocket-version") !== "13") {
    const headers = { "Sec-WebSocket-Version": "13" };
    return { status: 426, text: bad("Sec-WebSocket-Version"), headers };
  }
  const status = refuses(header("origin"), header("host"));
  if (status !== undefined) {
    return { status, text: status === 403 ? "origin not allowed" : "unavailable" };
  }
}

/** The answer to a request that does not become a WebSocket. */
export function handshakeResponse({ status, text, headers = {} }: HandshakeProblem): Response {
  const type = "text/plain; charset=utf-8";
  return new Response(text, { status, headers: { "Content-Type": type, ...headers } });
}

/** Whether a URL's path is the endpoint's. */
export function isEndpoint(pathname: string, path: string): boolean {
  return pathname === path || pathname === `${path}/`;
}

/** A server that listens. */
export interface Listening {
  port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** Thrown when a port is taken. */
export class PortTakenError extends Error {
  /** Always `"port_taken"`. */
  readonly code = "port_taken";
  /** The port. */
  readonly port: number;

  /** Names the port. */
  constructor(port: number, options?: ErrorOptions) {
    super(`Cannot start dev server: port ${port} is taken`, options);
    this.name = "PortTakenError";
    this.port = port;
  }
}
