import { type Frame, FrameError, toFrame } from "./frame.ts";

/** The parts of an outgoing frame, all but its data. */
export type FrameHead = Omit<Frame, "data">;

/**
 * Turns frames into messages and back. `data` travels as JSON text in both formats, so it is handed
 * over as text: white space inside it survives.
 */
export interface Codec {
  /** The format's name in `auth`. */
  readonly name: "json" | "msgpack";
  /** Encodes a frame whose data is the given JSON text. */
  encode(head: FrameHead, data?: string): string | Uint8Array<ArrayBuffer>;
  /**
   * Decodes a message.
   * @throws {FrameError} When it is no frame.
   */
  decode(message: string | Uint8Array): Frame;
}

/** The default format: a frame is one JSON text. */
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
