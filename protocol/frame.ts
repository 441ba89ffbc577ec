/** What a frame is; `request` and `ping` come from clients, the rest from servers. */
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

/** The error of an `error` frame, as a server sends it. */
export interface WireError {
  /** One of {@linkcode ERROR_CODES}, or a number a newer server knows. */
  code: number;
  /** Text for people. */
  message: string;
  /** More text, rarely there. */
  details?: string;
}

/** One message of the wire protocol. `data` is the parsed JSON value. */
export interface Frame {
  /** Chosen by the sender. */
  id: string;
  /** The frame's kind. */
  type: FrameType;
  /** The method a request calls. */
  method?: string;
  /** The `id` of the request that this frame answers. Absent on an error that belongs to none. */
  correl_id?: string;
  /** The token, on an `auth` frame or an RPC request. */
  token?: string;
  /** What the method takes or gives. */
  data?: unknown;
  /** Present on `error` frames. */
  error?: WireError;
  /** The topic of the entity an event is about: `job:<id>` or `workflow:<id>`. */
  channel?: string;
  /** Events the sender is ready to take on top of those it said before. */
  credits?: number;
  /** When the frame was made, RFC 3339. */
  ts?: string;
}

/** How many characters of a broken message an error shows. */
export const EXCERPT_LENGTH = 200;

/** A message that is no frame. */
export class FrameError extends Error {
  /** Always `"bad_frame"`. */
  readonly code = "bad_frame";
  /** The first {@linkcode EXCERPT_LENGTH} characters of what came. */
  readonly excerpt: string;

  /** Says why `text` is no frame. */
  constructor(reason: string, text: string, options?: ErrorOptions) {
    const excerpt = text.slice(0, EXCERPT_LENGTH);
    super(`Cannot decode frame: ${reason}: ${excerpt}`, options);
    this.name = "FrameError";
    this.excerpt = excerpt;
  }
}

/**
 * Checks that a decoded value is a frame. Unknown fields are kept, known ones of a wrong type are
 * refused.
 *
 * @param value What the codec decoded.
 * @param text The message as it came, for the error's excerpt.
 * @throws {FrameError} When the value is no frame.
 */
export function toFrame(value: unknown, text: string): Frame {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FrameError("not an object", text);
  }
  const frame = value as Record<string, unknown>;
  if (!FRAME_TYPES.includes(frame.type as FrameType)) {
    // A value nested deeply enough would overflow the stack of whoever writes it out.
    const type = typeof frame.type === "string"
      ? JSON.stringify(frame.type.slice(0, 40))
      : typeof frame.type;
    throw new FrameError(`unknown type ${type}`, text);
  }
  if (frame.id === undefined) frame.id = "";
  for (const key of TEXT_FIELDS) {
    if (frame[key] !== undefined && typeof frame[key] !== "string") {
      throw new FrameError(`'${key}' is not text`, text);
    }
  }
  if (frame.type === "error") {
    const { code, message } = Object(frame.error) as Record<string, unknown>;
    if (typeof code !== "number" || typeof message !== "string") {
      throw new FrameError("an error frame without code and message", text);
    }
  }
  return frame as unknown as Frame;
}

const TEXT_FIELDS = ["id", "method", "correl_id", "channel", "ts"] as const;
