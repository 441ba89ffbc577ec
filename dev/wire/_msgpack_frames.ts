import { goStringify } from "../go/encode.ts";
import type { InFrame } from "./_frames.ts";

/** Frames as MessagePack: one map, its `data` a `bin` of JSON text, its `ts` the timestamp type. */
export interface MsgpackFrames {
  /**
   * Decodes a message.
   * @throws {Error} When it is no frame.
   */
  decode(message: Uint8Array): InFrame;
  /** Encodes a frame that is given as JSON text. */
  encode(frame: string): Uint8Array<ArrayBuffer>;
}

/** Loads the format; a server whose clients all speak JSON never does. */
export async function loadMsgpackFrames(): Promise<MsgpackFrames> {
  const { decode, encode } = await import("@msgpack/msgpack/dist.esm/index.mjs");
  return {
    decode(message) {
      if (!isMap(message[0])) {
        const code = message[0]?.toString(16).padStart(2, "0");
        throw new Error(
          code === undefined ? "EOF" : `msgpack: unexpected code=${code} decoding map length`,
        );
      }
      const map = decode(message) as Record<string, unknown>;
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
    },
    encode(frame) {
      const { data, ts, ...rest } = JSON.parse(frame) as Record<string, unknown>;
      return encode({
        ...rest,
        ...(data === undefined ? {} : { data: new TextEncoder().encode(goStringify(data)) }),
        ts: new Date(ts as string),
      });
    },
  };
}

/** Whether a first byte begins a map. */
function isMap(byte: number | undefined): boolean {
  return byte !== undefined && (byte >> 4 === 8 || byte === 0xde || byte === 0xdf);
}
