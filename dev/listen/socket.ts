import type { Clock } from "../../runtime/clock.ts";

/** A WebSocket that a server has accepted, with the same interface on every runtime. */
export interface ServerSocket {
  /** Sends a text or binary message. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** Returns how many bytes are waiting to be sent. */
  buffered(): number;
  /** Closes the connection with a close frame. */
  close(code: number, reason: string): void;
  /** Ends the connection without a close frame, after the data that was sent. */
  drop(): void;
  /** Ends the connection at once. */
  terminate(): void;
}

/** Handles the messages of a socket. */
export interface SocketHandler {
  /** Called with each message. */
  message(data: string | Uint8Array): void;
  /** Called when the connection has ended. */
  closed(): void;
}

/** Settings of the function that listens on a runtime. */
export interface ListenOptions {
  hostname: string;
  port: number;
  /** The path of the WebSocket endpoint. */
  path: string;
  /** Real time, for waiting until a socket has sent its data. */
  clock: Clock;
  /** Called with each new WebSocket; returns its handler. */
  open(socket: ServerSocket): SocketHandler;
  /** Responds to requests that are not for the WebSocket endpoint. */
  fetch(request: Request): Response | Promise<Response>;
  /** Returns the status to reject an upgrade with, if any. */
  refuses(
    origin: string | null | undefined,
    host: string | null | undefined,
  ): number | undefined;
}

/** A server that is listening. */
export interface Listener {
  port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}

/** An HTTP response that rejects a request. */
export interface Rejection {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

/** Rejects a request to the WebSocket endpoint that is not an upgrade. */
export const NOT_AN_UPGRADE: Rejection = { status: 400, text: badHeader("Upgrade") };

/** Validates the headers of an upgrade; returns the rejection if they are not valid. */
export function checkHandshake(
  header: (name: string) => string | null | undefined,
  refuses: ListenOptions["refuses"],
): Rejection | undefined {
  if (header("upgrade")?.toLowerCase() !== "websocket") return NOT_AN_UPGRADE;
  if (header("sec-websocket-key")?.length !== 24) {
    return { status: 400, text: badHeader("Sec-WebSocket-Key") };
  }
  if (header("sec-websocket-version") !== "13") {
    const headers = { "Sec-WebSocket-Version": "13" };
    return { status: 426, text: badHeader("Sec-WebSocket-Version"), headers };
  }
  const status = refuses(header("origin"), header("host"));
  if (status !== undefined) {
    return { status, text: status === 403 ? "origin not allowed" : "unavailable" };
  }
}

function badHeader(name: string): string {
  return `handshake error: bad "${name}" header`;
}

/** Converts a rejection to a response. */
export function rejectionResponse({ status, text, headers = {} }: Rejection): Response {
  const type = "text/plain; charset=utf-8";
  return new Response(text, { status, headers: { "Content-Type": type, ...headers } });
}

/** Whether a URL's path is that of the endpoint. */
export function isEndpoint(pathname: string, path: string): boolean {
  return pathname === path || pathname === `${path}/`;
}

/**
 * Thrown when a port is already in use.
 *
 * @example
 * ```ts
 * import { createDevServer, PortTakenError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await using server = await createDevServer();
 * await assert.rejects(createDevServer({ port: server.port }), PortTakenError);
 * ```
 */
export class PortTakenError extends Error {
  /** Always `"port_taken"`. */
  readonly code = "port_taken";
  /** The port. */
  readonly port: number;

  /** Creates an error for a port. */
  constructor(port: number, options?: ErrorOptions) {
    super(`Cannot start dev server: port ${port} is already in use`, options);
    this.name = "PortTakenError";
    this.port = port;
  }
}
