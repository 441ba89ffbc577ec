import type { Clock } from "../runtime/clock.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Hooks } from "./hooks.ts";

/** A token, or what gives one; a function is asked again when the server refuses its last token. */
export type TokenSource = string | (() => string | Promise<string>);

/** Settings of a {@linkcode Dispatch} client. */
export interface DispatchOptions {
  /** The server's endpoint: `ws://` or `wss://` (`http` and `https` are read as those). */
  url: string | URL;
  /** What the server knows the caller by. */
  token: TokenSource;
  /**
   * How frames are written. A server that cannot do MessagePack as the WebSocket standard wants it
   * is spoken to in JSON, and the status stream says so.
   * @default {"json"}
   */
  format?: "json" | "msgpack";
  /**
   * Whether a lost connection is made again.
   * @default {true}
   */
  reconnect?: boolean;
  /**
   * How many attempts in a row may fail before the client gives up; 0 means any number.
   * @default {10}
   */
  maxRetries?: number;
  /**
   * How long the client waits between attempts.
   * @default {{ base: 1000, cap: 45000 }}
   */
  backoff?: BackoffOptions;
  /**
   * How long a call may take, in milliseconds; 0 means any time. A call may set its own.
   * @default {30000}
   */
  timeout?: number;
  /**
   * How long it may take to connect and authenticate, in milliseconds.
   * @default {10000}
   */
  connectTimeout?: number;
  /**
   * After how long a silence the server is asked whether it is there, in milliseconds; 0 means
   * never.
   * @default {15000}
   */
  pingInterval?: number;
  /**
   * How long it may take to answer that, in milliseconds.
   * @default {10000}
   */
  pingTimeout?: number;
  /**
   * How many requests may wait for a connection.
   * @default {1000}
   */
  maxQueue?: number;
  /**
   * How many events the server may send before it needs a new grant. A server drops what it has no
   * grant for, so this is wide; what a slow reader may hold is set by each subscription's `buffer`.
   * @default {100000}
   */
  credits?: number;
  /** Called around each request, for logs and traces. */
  hooks?: Hooks;
  /**
   * Where time comes from.
   * @default {the machine's clock}
   */
  clock?: Clock;
  /**
   * Gives numbers from 0 up to, not including, 1.
   * @default {Math.random}
   */
  random?: () => number;
  /**
   * Makes the sockets.
   * @default {(url) => new WebSocket(url)}
   */
  webSocket?: (url: string) => WebSocket;
}

/** Settings that every call takes. */
export interface CallOptions {
  /** Ends the call early: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * How long the call may take, in milliseconds; 0 means any time.
   * @default {the client's `timeout`}
   */
  timeout?: number;
}

/** Settings of a call that changes something. */
export interface WriteOptions extends CallOptions {
  /**
   * Whether to send the request again when it is not known whether its first sending arrived. It
   * may then be carried out twice.
   * @default {"not-sent"}
   */
  retry?: "not-sent" | "unknown";
}
