import type { Clock } from "../../runtime/clock.ts";
import type { Rejection, RequestHead } from "./handshake.ts";

/** The longest message that a server accepts, in bytes. */
export const MAX_MESSAGE_BYTES: number = 2 ** 28;

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
  /** Returns why to reject a request, if the sender may not send any. */
  refuses(request: RequestHead): Rejection | undefined;
  /** Returns why to reject a valid upgrade, if the server accepts none now. */
  refusesUpgrade(): Rejection | undefined;
}

/** A server that is listening. */
export interface Listener {
  port: number;
  /** Stops listening and drops every connection. */
  close(): Promise<void>;
}
