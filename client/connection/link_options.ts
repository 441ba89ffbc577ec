import type { Codec } from "../../protocol/codec.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ConnectionError } from "../errors.ts";
import type { Call } from "./call.ts";
import type { Deadlines } from "./deadlines.ts";

/** Receives the frames of a link that answer no request. */
export interface FrameSink {
  /** An event frame arrived. */
  onEvent(frame: Frame): void;
  /** A pong arrived for the ping with this id. */
  onPong(pingId: string | undefined): void;
}

/** Callbacks of a link. */
export interface LinkOwner {
  /** A message arrived that the link cannot use. */
  onAnomaly(cause: Error): void;
  /** Takes over a call that may be sent again; returns whether it did. */
  requeue?(call: Call): boolean;
  /** The connection is lost. Not called after {@linkcode Link.close}. */
  onLost?(cause: ConnectionError): void;
}

/** Settings of {@linkcode Link.open}. */
export interface LinkOptions {
  /** The address without credentials, for error messages. */
  displayUrl: string;
  token: string;
  /** The MessagePack codec, if that format is to be used. */
  binary: Codec | undefined;
  pingInterval: number;
  pingTimeout: number;
  clock: Clock;
  deadlines: Deadlines;
  socket: WebSocket;
  owner: LinkOwner;
}
