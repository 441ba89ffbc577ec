import type { Gap } from "./gap.ts";

/**
 * One entry of a client's status stream, discriminated by `type`.
 *
 * @example
 * ```ts
 * import type { Dispatch } from "@dispatch/sdk";
 *
 * async function countReconnects(client: Dispatch) {
 *   let count = 0;
 *   for await (const status of client.status()) if (status.type === "reconnecting") count++;
 *   return count;
 * }
 * ```
 */
export type Status =
  /** The client is not connected and does not try to connect. */
  | { type: "idle" }
  /** The client connects for the first time. */
  | { type: "connecting" }
  /** The server accepted the token. `attempt` is 0 unless this was a reconnect. */
  | { type: "connected"; sessionId: string; format: "json" | "msgpack"; attempt: number }
  /** The connection was lost. */
  | { type: "disconnected"; cause: Error }
  /** Attempt number `attempt`, counted from 1, begins in `delay` milliseconds. */
  | { type: "reconnecting"; attempt: number; delay: number; cause: Error }
  /** The client gave up: there are no attempts left, or the server refused the token. */
  | { type: "failed"; cause: Error }
  /** The client was closed. This is the last entry. */
  | { type: "closed" }
  /** The server does not support MessagePack; the client uses JSON from now on. */
  | { type: "format_fallback"; format: "json"; cause: Error }
  /**
   * The client received a message that it cannot use: not a frame, an error that belongs to no
   * request, an answer to no request. `count` is the number of such messages so far.
   */
  | { type: "anomaly"; count: number; cause: Error }
  /** Events are missing or may be, because the server ran out of credits or its buffer was full. */
  | Gap
  /** The connection that started a run was lost; the client follows the run by other means. */
  | { type: "lane_lost"; runId?: string; cause: Error };
