import { goStringify } from "../go/encode.ts";
import type { ClientFrame } from "./_frames.ts";

/**
 * Converts frames to and from MessagePack. A frame is a map whose `data` is a `bin` of JSON text,
 * and whose `ts` is a timestamp.
 */
export interface MsgpackFrames {
  /**
   * Decodes a message.
   * @throws {Error} If it is not a frame.
   */
  decode(message: Uint8Array): ClientFrame;
  /** Encodes a frame, given as JSON text. */
  encode(frame: string): Uint8Array<ArrayBuffer>;
}

/** Loads the MessagePack package, which a server without such clients does not need. */
export async function loadMsgpackFrames(): Promise<MsgpackFrames> {
  const { decode, encode } = await import("@msgpack/msgpack/dist.esm/index.mjs");
  return {
    decode: (message) => {
      if (message.length === 0) throw new Error("EOF");
      const first = message[0]!;
      if (!isMap(first)) {
        const code = first.toString(16).padStart(2, "0");
        throw new Error(`msgpack: unexpected code=${code} decoding map length`);
      }
      let map: unknown;
      try {
        map = decode(message);
      } catch (cause) {
        // Runtimes have words of their own for data that ends too early.
        throw new Error("unexpected EOF", { cause });
      }
      return toClientFrame(map as Record<string, unknown>);
    },
    encode: (frame) => {
      const { data, ts, ...rest } = JSON.parse(frame) as Record<string, unknown>;
      return encode({
        ...rest,
        ...(data === undefined ? {} : { data: new TextEncoder().encode(goStringify(data)) }),
        ts: new Date(ts as string),
      });
    },
  };
}

function toClientFrame(map: Record<string, unknown>): ClientFrame {
  const text = (key: string): string => {
    const value = map[key] ?? "";
    if (typeof value !== "string") throw new Error(`msgpack: '${key}' is not text`);
    return value;
  };
  const { data, credits, ts } = map;
  return {
    id: text("id"),
    type: text("type"),
    method: text("method"),
    token: text("token"),
    data: data instanceof Uint8Array ? new TextDecoder().decode(data) : undefined,
    credits: Number(credits ?? 0),
    ts: ts instanceof Date ? ts.toISOString() : undefined,
  };
}

/** Whether a MessagePack value that starts with this byte is a map. */
function isMap(byte: number): boolean {
  return byte >> 4 === 8 || byte === 0xde || byte === 0xdf;
}
