import type { Clock } from "../runtime/clock.ts";
import type { BackoffOptions } from "./backoff.ts";
import { explainName, explainValue, lacksMethods } from "../runtime/explain.ts";
import { AuthError, DispatchError } from "./errors.ts";
import { isRecord } from "../protocol/entity.ts";
import { abortable } from "../runtime/abortable.ts";
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

/**
 * What each option must be, by its name, in the words of a message: the types or the quoted texts
 * that are allowed, and the least number.
 */
export type OptionRules = Readonly<Record<string, string>>;

const TEXT = "a string that is not empty";

/** The names and ids in the arguments of calls. */
export const NAME: OptionRules = { name: TEXT, id: TEXT };

/** The rule for a duration or a count that may be 0. */
const FROM_0 = "a number of at least 0";

/** The rule for a duration or a count. */
export const FROM_1 = "a number of at least 1";

const ADDRESS = "a ws(s) or http(s) URL";
const TOKEN = "a function or " + TEXT;
const WHOLE = "a whole number";
const OBJECT = "an object";

/** The options of what can only be aborted. */
export const SIGNAL: OptionRules = { signal: OBJECT };

/** The options of a call. */
export const CALL: OptionRules = { ...SIGNAL, timeout: FROM_0 };

/** The options of a call that changes something on the server. */
export const WRITE: OptionRules = { ...CALL, retry: "'unknown' or 'not-sent'" };

/** The options of `enqueue`. */
export const ENQUEUE: OptionRules = { ...WRITE, queue: "a string", priority: WHOLE };

/** What the messages about the options of a client call it. */
export const CREATE = "create client";

/** The options that all clients have. */
export const CLIENT: OptionRules = {
  url: ADDRESS,
  token: TOKEN,
  timeout: FROM_0,
  maxRetries: FROM_0,
  hooks: OBJECT,
  clock: OBJECT,
  random: "a function",
};

/**
 * Validates options, which may come from plain JavaScript.
 *
 * @throws {DispatchError} With the code `"bad_options"`, if one is unknown or has a wrong value.
 */
export function checkOptions(what: string, options: object = {}, rules: OptionRules): void {
  // What is no object, such as the milliseconds of a timeout, is refused by its own rule.
  if (!isRecord(options)) return checkOptions(what, { options }, { options: OBJECT });
  // Inherited options too: an `AbortSignal` is not an object of options.
  for (const name in options) {
    const value = options[name] as string;
    // Not what every object inherits: an option named `constructor` is unknown.
    const rule = Object.hasOwn(rules, name) ? rules[name]! : "";
    if (value === undefined && !/empty|URL/.test(rule)) continue;
    const [types, least = value] = rule.split(" of at least ");
    const isValid = rule === ADDRESS
      ? URL.canParse(value) && /^(ws|http)s?:/.test(value)
      : types!.includes(typeof value)
      ? value >= least && (value !== "" || !rule.endsWith("empty")) &&
        (types !== WHOLE || Number.isSafeInteger(value)) &&
        (rule !== OBJECT || isRecord(value) && !lacksMethods(name, value))
      : typeof value === "string" && rule.includes(`'${value}'`);
    if (isValid) continue;
    const why = rule
      ? `'${name}' must be ${rule}${explainValue(name, value) ?? ""}`
      : `there is no option '${name}'${explainName(name, rules) ?? ""}`;
    throw new DispatchError(`Cannot ${what}: ${why}`, "bad_options");
  }
}

/** Validates the options of a client over a WebSocket. */
export function checkDispatchOptions(options: DispatchOptions): void {
  checkOptions(CREATE, { url: undefined, token: undefined, ...options as object }, {
    ...CLIENT,
    ...SIGNAL,
    format: "'json' or 'msgpack'",
    reconnect: "a boolean",
    backoff: OBJECT,
    connectTimeout: FROM_1,
    pingInterval: FROM_0,
    pingTimeout: FROM_1,
    maxQueue: FROM_1,
    credits: "a whole number of at least 1",
    webSocket: "a function",
  });
  checkOptions(CREATE, options.backoff, { base: FROM_0, cap: FROM_0 });
}

/** Validates the options of a client over HTTP. */
export function checkHttpOptions(options: HttpOptions): void {
  checkOptions(CREATE, { url: undefined, token: undefined, ...options as object }, {
    ...CLIENT,
    fetch: "a function",
  });
}

/**
 * Returns a token, from the function if it is one.
 *
 * @throws {AuthError} If the function fails, with its error as the cause.
 */
export async function getToken(token: TokenSource, signal: AbortSignal): Promise<string> {
  if (typeof token === "string") return token;
  try {
    const result = await abortable(Promise.resolve(token()), signal);
    if (typeof result === "string") return result;
    throw result;
  } catch (cause) {
    signal.throwIfAborted();
    throw new AuthError(`Cannot get token: ${cause}`, { cause });
  }
}
