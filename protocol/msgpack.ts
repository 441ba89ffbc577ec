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
        value = toJsonShape(decode(message));
      } catch (cause) {
        throw new FrameError(`malformed MessagePack: ${cause}`, hex(message), { cause });
      }
      return toFrame(value, hex(message));
    },
  };
}

/**
 * Converts a decoded map to the shape of a JSON frame.
 * @throws {RangeError} If `ts` is not a time.
 * @throws {SyntaxError} If `data` is not JSON.
 */
function toJsonShape(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const { ts, data } = value;
  if (ts instanceof Date) value.ts = ts.toISOString();
  if (data instanceof Uint8Array) value.data = JSON.parse(new TextDecoder().decode(data));
  return value;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 100), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
