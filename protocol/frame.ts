import { isRecord } from "./entity.ts";

/** The type of a frame. Clients send `request` and `ping`, servers send the others. */
export type FrameType = "request" | "response" | "event" | "error" | "ping" | "pong";

/** Every value of {@linkcode FrameType}. */
export const FRAME_TYPES: readonly FrameType[] = [
  "request",
  "response",
  "event",
  "error",
  "ping",
  "pong",
];

/** The error of an `error` frame. */
export interface WireError {
  /** One of {@linkcode ERROR_CODES}, or a code of a newer server. */
  code: number;
  /** The message for people. */
  message: string;
  /** Further details. Servers rarely send them. */
  details?: string;
}

/** One message of the wire protocol. */
export interface Frame {
  /** An id that the sender chooses. */
  id: string;
  /** The type. */
  type: FrameType;
  /** The method that a request calls. */
  method?: string;
  /** The `id` of the request that this frame answers. Absent if an error belongs to no request. */
  correl_id?: string;
  /** The token, on an `auth` frame or an RPC request. */
  token?: string;
  /** The parameters or the result of the method, or an event, as parsed JSON. */
  data?: unknown;
  /** The error, on an `error` frame. */
  error?: WireError;
  /** The topic of an event's job or run: `job:<id>` or `workflow:<id>`. */
  channel?: string;
  /** How many more events the client accepts. */
  credits?: number;
  /** When the frame was created, RFC 3339. */
  ts?: string;
}

/** How many characters of a malformed message an error shows. */
export const EXCERPT_LENGTH = 200;

/** Thrown when a message is not a frame. */
export class FrameError extends Error {
  /** Always `"bad_frame"`. */
  readonly code = "bad_frame";
  /** The first {@linkcode EXCERPT_LENGTH} characters of the message. */
  declare readonly excerpt: string;

  /** Creates an error with a reason and the message that was received. */
  constructor(reason: string, text: string, options?: ErrorOptions) {
    const excerpt = text.slice(0, EXCERPT_LENGTH);
    super(`Cannot decode frame: ${reason}: ${excerpt}`, options);
    this.name = "FrameError";
    this.excerpt = excerpt;
  }
}

/**
 * Validates that a decoded value is a frame. Keeps unknown fields.
 *
 * @param value The decoded value.
 * @param text The message as it was received, for the excerpt in the error.
 * @throws {FrameError} If the value is not a frame, or a field has the wrong type.
 */
export function toFrame(value: unknown, text: string): Frame {
  if (!isRecord(value)) throw new FrameError("not an object", text);
  const frame = value;
  if (!FRAME_TYPES.includes(frame.type as FrameType)) {
    // Stringifying a deeply nested value would overflow the stack, so only text is shown.
    const type = typeof frame.type === "string"
      ? JSON.stringify(frame.type.slice(0, 40))
      : typeof frame.type;
    throw new FrameError(`unknown type ${type}`, text);
  }
  if (frame.id === undefined) frame.id = "";
  for (const key of ["id", "method", "correl_id", "channel", "ts"] as const) {
    if (frame[key] !== undefined && typeof frame[key] !== "string") {
      throw new FrameError(`'${key}' is not text`, text);
    }
  }
  if (frame.type === "error") {
    const { code, message } = Object(frame.error) as Record<string, unknown>;
    if (typeof code !== "number" || typeof message !== "string") {
      throw new FrameError("an error without code and message", text);
    }
  }
  return frame as unknown as Frame;
}
