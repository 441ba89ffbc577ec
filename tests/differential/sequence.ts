/**
 * What two servers are sent. The texts have marks that each server's own values replace:
 *
 * - `<<job:0>>`, `<<run:0>>`, `<<event:0>>`: the id of the first job, run or event. Beyond the last
 *   one it starts again; without any, it is an id that nobody knows.
 * - `<<key>>`: a text that is different each time, the same at both servers.
 * - `<<deep:100>>`: so many nested arrays. `<<long:100>>`: so many letters.
 *
 * @module
 */

/** A message on a WebSocket: a text, or bytes. */
export type Message = { readonly text: string } | { readonly bytes: readonly number[] };

/** A request over HTTP. */
export interface HttpRequest {
  readonly method: string;
  /** The path below the host. */
  readonly path: string;
  readonly type?: string;
  readonly authorization?: string;
  readonly body?: string;
}

/** A step of a sequence. A connection's number beyond the last one wraps around. */
export type Step =
  /** Sends messages on a connection, one right after the other. */
  | { readonly do: "frames"; readonly conn: number; readonly messages: readonly Message[] }
  /** Sends a message on each of several connections at the same time. */
  | { readonly do: "together"; readonly messages: readonly Message[] }
  /** Starts a run that waits for an event on a connection, and publishes that over RPC. */
  | { readonly do: "payment"; readonly conn: number; readonly payload: string }
  /** Enqueues a job that takes a while on a connection, and cancels it once it has started. */
  | { readonly do: "cancel running"; readonly conn: number }
  | { readonly do: "rpc"; readonly request: HttpRequest }
  /** Opens a stream of events, which stays open until the end of the sequence. */
  | { readonly do: "sse"; readonly query: string }
  /** Closes a connection. */
  | { readonly do: "close"; readonly conn: number };

/** A sequence of messages on several connections. */
export interface Sequence {
  /** The first message of each connection. */
  readonly connections: readonly Message[];
  readonly steps: readonly Step[];
}

/** Ids that are well-formed and that nobody knows. */
const UNKNOWN = {
  job: "job_01h455vb4pex5vsknk084sn02q",
  run: "wfrun_01h455vb4pex5vsknk084sn02q",
  event: "evt_01h455vb4pex5vsknk084sn02q",
};

/** What replaces the marks. */
export interface Values {
  readonly job: readonly string[];
  readonly run: readonly string[];
  readonly event: readonly string[];
  readonly key: () => string;
}

/** Replaces the marks in a text. */
export function withValues(text: string, values: Values): string {
  return text.replace(/<<(\w+)(?::(\d+))?>>/g, (mark, kind: string, digits = "0") => {
    const number = Number(digits);
    switch (kind) {
      case "key":
        return values.key();
      case "deep":
        return "[".repeat(number) + "]".repeat(number);
      case "long":
        return "x".repeat(number);
      case "job":
      case "run":
      case "event": {
        const known = values[kind];
        return known.length === 0 ? UNKNOWN[kind] : known[number % known.length]!;
      }
    }
    return mark;
  });
}
