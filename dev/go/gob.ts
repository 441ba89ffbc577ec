// A Go server stores step results in the gob format, so the timeline shows gob bytes. Numbers are
// encoded as float64, the only number type JavaScript has. Values other than numbers, strings and
// booleans stay JSON, because gob would need the name of their Go type.

import { encodeBase64 } from "../../protocol/base64.ts";

/** Encodes a step's result as gob in base64; `json` is the fallback for types gob cannot name. */
export function gobBase64(value: unknown, json: string): string {
  if (typeof value === "number") return message(8, encodeFloat(value));
  if (typeof value === "boolean") return message(2, [value ? 1 : 0]);
  if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    return message(12, [...encodeUint(BigInt(bytes.length)), ...bytes]);
  }
  return encodeBase64(json);
}

function message(type: number, body: number[]): string {
  const bytes = [...encodeUint(BigInt(body.length + 2)), type, 0, ...body];
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Gob reverses the bytes of a float, so that floats with few significant digits become short. */
function encodeFloat(value: number): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value, true);
  return encodeUint(view.getBigUint64(0, false));
}

function encodeUint(value: bigint): number[] {
  if (value < 128n) return [Number(value)];
  const bytes: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 255n));
  return [256 - bytes.length, ...bytes];
}
