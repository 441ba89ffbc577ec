import type { Clock } from "../runtime/clock.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { Hooks } from "./hooks.ts";

/**
 * A token, or a function that returns one. The client calls the function again when the server
 * refuses a token that it accepted before.
 */
export type TokenSource = string | (() => string | Promise<string>);

/** Settings of a {@linkcode Dispatch} client. */
export interface DispatchOptions {
  /** The server's endpoint: `ws://` or `wss://`; `http://` and `https://` mean the same. */
  url: string | URL;
  /** The token to authenticate with. */
  token: TokenSource;
  /**
   * The format of the frames. With a server that does not support MessagePack the client uses JSON
   * instead, and reports that in its status stream.
   * @default {"json"}
   */
  format?: "json" | "msgpack";
  /**
   * Whether to reconnect after the connection was lost.
   * @default {true}
   */
  reconnect?: boolean;
  /**
   * How many attempts to reconnect may fail in a row before the client gives up; 0 means no limit. A
   * connection that is lost within 5 seconds counts as a failed attempt.
   * @default {10}
   */
  maxRetries?: number;
  /**
   * How long to wait between attempts to reconnect.
   * @default {{ base: 1000, cap: 45000 }}
   */
  backoff?: BackoffOptions;
  /**
   * The timeout of a call, in milliseconds; 0 means none. A call can set its own.
   * @default {30000}
   */
  timeout?: number;
  /**
   * The timeout for connecting and authenticating, in milliseconds.
   * @default {10000}
   */
  connectTimeout?: number;
  /**
   * Sends a ping after this many milliseconds without a message; 0 disables pings.
   * @default {15000}
   */
  pingInterval?: number;
  /**
   * How many milliseconds the server has to answer a ping.
   * @default {10000}
   */
  pingTimeout?: number;
  /**
   * How many requests may wait for a connection.
   * @default {1000}
   */
  maxQueue?: number;
  /**
   * How many events the server may send before it needs new credits. Servers drop events for which
   * they have no credit, so the default is generous. To limit what a slow reader holds in memory,
   * set the subscription's `buffer`.
   * @default {100000}
   */
  credits?: number;
  /** Functions to call around each request, for logs and traces. */
  hooks?: Hooks;
  /**
   * The source of time.
   * @default {the system clock}
   */
  clock?: Clock;
  /**
   * The source of random numbers from 0 up to, but not including, 1.
   * @default {Math.random}
   */
  random?: () => number;
  /**
   * Creates the sockets.
   * @default {(url) => new WebSocket(url)}
   */
  webSocket?: (url: string) => WebSocket;
}

/** Settings of a client over HTTP. */
export interface HttpOptions {
  /** The server's endpoint, as for a WebSocket. The client uses `/rpc` and `/sse` below it. */
  url: string | URL;
  /** The token to authenticate with. */
  token: TokenSource;
  /**
   * The timeout of a call, in milliseconds; 0 means none. A call can set its own.
   * @default {30000}
   */
  timeout?: number;
  /**
   * How often a read is sent again if it got no answer.
   * @default {3}
   */
  maxRetries?: number;
  /** Functions to call around each request, for logs and traces. */
  hooks?: Hooks;
  /**
   * The source of time.
   * @default {the system clock}
   */
  clock?: Clock;
  /**
   * The source of random numbers from 0 up to, but not including, 1.
   * @default {Math.random}
   */
  random?: () => number;
  /**
   * Sends the HTTP requests.
   * @default {globalThis.fetch}
   */
  fetch?: typeof fetch;
}

/** Settings of a call. */
export interface CallOptions {
  /** Aborts the call: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /**
   * The timeout in milliseconds; 0 means none.
   * @default {the client's `timeout`}
   */
  timeout?: number;
}

/** Settings of a call that changes something on the server. */
export interface WriteOptions extends CallOptions {
  /**
   * When to send the request again after the connection was lost: `"not-sent"` only if it never
   * left, `"unknown"` also if it may have arrived. The server may then carry it out twice.
   * @default {"not-sent"}
   */
  retry?: "not-sent" | "unknown";
}

/** Settings of `enqueue`. */
export interface EnqueueOptions extends WriteOptions {
  /**
   * The queue to put the job in.
   * @default {"default"}
   */
  queue?: string;
  /**
   * A whole number; jobs with a higher priority run first. Numbers below 0 mean 0.
   * @default {0}
   */
  priority?: number;
}
