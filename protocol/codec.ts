import { type Frame, FrameError, toFrame } from "./frame.ts";

/** An outgoing frame without its data. */
export type FrameHead = Omit<Frame, "data">;

/**
 * Encodes frames as messages and decodes messages as frames. Both formats send `data` as JSON text,
 * so the encoder takes it as text; this preserves its white space.
 */
export interface Codec {
  /** The name of the format in `auth`. */
  readonly name: "json" | "msgpack";
  /** Encodes a frame; `data` is JSON text. */
  encode(head: FrameHead, data?: string): string | Uint8Array<ArrayBuffer>;
  /**
   * Decodes a message.
   * @throws {FrameError} If the message is not a frame.
   */
  decode(message: string | Uint8Array): Frame;
}

/** The default format: each message is one JSON text. */
export const jsonCodec: Codec = {
  name: "json",
  encode(head, data) {
    const text = JSON.stringify(head);
    return data === undefined ? text : text.slice(0, -1) + ',"data":' + data + "}";
  },
  decode(message) {
    const text = typeof message === "string" ? message : new TextDecoder().decode(message);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw new FrameError("not JSON", text, { cause });
    }
    return toFrame(value, text);
  },
};
