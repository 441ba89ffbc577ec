import type { Codec } from "./codec.ts";
import { isRecord } from "./entity.ts";
import { FrameError, toFrame } from "./frame.ts";

/**
 * Loads the MessagePack codec. A frame is a map whose `data` is a `bin` of JSON text, and whose
 * `ts` is a timestamp.
 */
export async function loadMsgpackCodec(): Promise<Codec> {
  // The package's main entry costs Deno 25 ms more than this file.
  const { encode, decode } = await import("@msgpack/msgpack/dist.esm/index.mjs");
  return {
    name: "msgpack",
    encode(head, data) {
      return encode({
        ...head,
        ...(data === undefined ? {} : { data: new TextEncoder().encode(data) }),
        ...(head.ts === undefined ? {} : { ts: new Date(head.ts) }),
      });
    },
    decode(message) {
      if (typeof message === "string") throw new FrameError("not MessagePack", message);
      let value: unknown;
      try {
        value = decode(message);
      } catch (cause) {
        throw new FrameError("not MessagePack", hex(message), { cause });
      }
      return toFrame(toJsonShape(value, message), hex(message));
    },
  };
}

/** Converts a decoded map to the shape of a JSON frame. */
function toJsonShape(value: unknown, message: Uint8Array): unknown {
  if (!isRecord(value)) return value;
  const frame = value;
  if (frame.ts instanceof Date) {
    if (Number.isNaN(frame.ts.getTime())) throw new FrameError("'ts' is not a time", hex(message));
    frame.ts = frame.ts.toISOString();
  }
  if (frame.data instanceof Uint8Array) {
    const text = new TextDecoder().decode(frame.data);
    try {
      frame.data = JSON.parse(text);
    } catch (cause) {
      throw new FrameError("'data' is not JSON", text || hex(message), { cause });
    }
  }
  return frame;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 100), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
