// Go keeps a step's result as gob bytes, so that is what stands in a timeline. A number is a
// float64, since no other kind of number is known here; what is neither a number, a text nor a truth
// value would need its Go type's name and stays JSON.

import { base64OfBytes } from "./encode.ts";
import { encodeBase64 } from "../../protocol/base64.ts";

/** The base64 of what Go keeps of a step's result. */
export function gobBase64(value: unknown, json: string): string {
  if (typeof value === "number") return message(8, floatBytes(value));
  if (typeof value === "boolean") return message(2, [value ? 1 : 0]);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return message(12, [...uint(BigInt(bytes.length)), ...bytes]);
  }
  return encodeBase64(json);
}

function message(type: number, body: number[]): string {
  return base64OfBytes(Uint8Array.from([...uint(BigInt(body.length + 2)), type, 0, ...body]));
}

/** A float's bytes are turned round, so that one with few digits is short. */
function floatBytes(value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return uint(view.getBigUint64(0, false));
}

function uint(value: bigint): number[] {
  if (value < 128n) return [Number(value)];
  const bytes: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 255n));
  return [256 - bytes.length, ...bytes];
}
