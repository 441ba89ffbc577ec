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
  /** Whether an upgrade from another host's page is refused. */
  refuses(origin: string | null | undefined, host: string | null | undefined): boolean;
}

/** Why a request does not become a WebSocket. */
export interface HandshakeProblem {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

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
  if (refuses(header("origin"), header("host"))) return { status: 403, text: "origin not allowed" };
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
