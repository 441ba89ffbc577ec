import { type MaskView, MaskViewBuilder } from "./mask_view.ts";

const [DIGIT_0, LETTER_X, EQUALS] = [0x30, 0x78, 0x3d];

/** Decodes all that can be base64. As its beginning is not known, each alignment is one view. */
export function decodeBase64Runs(view: MaskView, shortest: number): MaskView[] {
  const { bytes } = view;
  const ranges: Base64Range[] = [];
  for (let start = 0; start < bytes.length; start++) {
    if (BASE64[bytes[start]!]! < 0) continue;
    let end = start + 1;
    while (end < bytes.length && BASE64[bytes[end]!]! >= 0) end++;
    let paddedEnd = end;
    while (paddedEnd < end + 2 && bytes[paddedEnd] === EQUALS) paddedEnd++;
    if ((end - start) * 6 >= shortest * 8) ranges.push({ start, end, paddedEnd });
    start = end;
  }
  if (ranges.length === 0) return [];
  const size = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return [0, 1, 2, 3].map((shift) => {
    const builder = new MaskViewBuilder(size);
    for (const range of ranges) decodeRange(view, range, shift, builder);
    return builder.view();
  });
}

/** A range of base64 characters. */
interface Base64Range {
  start: number;
  end: number;
  /** The end of the padding after it. */
  paddedEnd: number;
}

function decodeRange(
  view: MaskView,
  { start, end, paddedEnd }: Base64Range,
  shift: number,
  builder: MaskViewBuilder,
): void {
  let [value, bits] = [0, 0];
  for (let i = start + shift; i < end; i++) {
    value = (value << 6 | BASE64[view.bytes[i]!]!) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    const last = i === end - 1 ? paddedEnd - 1 : i;
    builder.push(value >> bits & 0xff, view.from(i - 1), view.to(last));
  }
  builder.pushEnd();
}

/** Decodes all that can be hexadecimal, also with separators: `68 65`, `68:65`, `0x68, 0x65`. */
export function decodeHexRuns(view: MaskView, shortest: number): MaskView[] {
  const { bytes } = view;
  const runs: number[][] = [];
  let digits: number[] = [];
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === DIGIT_0 && bytes[i + 1] === LETTER_X) i++;
    else if (HEX[byte]! >= 0) digits.push(i);
    else if (!IS_SEPARATOR[byte] && digits.length > 0) {
      if (digits.length >= shortest * 2) runs.push(digits);
      digits = [];
    }
  }
  if (runs.length === 0) return [];
  const size = runs.reduce((sum, run) => sum + run.length, 0);
  return [0, 1].map((shift) => {
    const builder = new MaskViewBuilder(size);
    for (const run of runs) {
      for (let i = shift; i + 1 < run.length; i += 2) {
        const [high, low] = [run[i]!, run[i + 1]!];
        const byte = HEX[bytes[high]!]! << 4 | HEX[bytes[low]!]!;
        builder.push(byte, view.from(high), view.to(low));
      }
      builder.pushEnd();
    }
    return builder.view();
  });
}

/**
 * Returns the parts of decoded views that look like text. Most of what can be base64 is not, so the
 * rest is not worth to be decoded once more.
 */
export function readableParts(views: readonly MaskView[], shortest: number): MaskView {
  const builder = new MaskViewBuilder(views.reduce((sum, { length }) => sum + length, 0));
  for (const view of views) {
    for (let start = 0; start < view.length;) {
      let end = view.bytes.indexOf(0, start);
      if (end < 0) end = view.length;
      if (end - start >= shortest && looksLikeText(view.bytes.subarray(start, end))) {
        builder.pushFrom(view, start, end);
        builder.pushEnd();
      }
      start = end + 1;
    }
  }
  return builder.view();
}

/** Whether three of four bytes are printable ASCII, white space, or belong to UTF-8 characters. */
function looksLikeText(bytes: Uint8Array): boolean {
  let readable = 0;
  for (let i = 0; i < bytes.length;) {
    const byte = bytes[i]!;
    const size = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    let end = i + 1;
    while (end < i + size && (bytes[end]! & 0xc0) === 0x80) end++;
    const isControl = byte === 0x7f ||
      byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d;
    if (end === i + size && !isControl) readable += size;
    i = end;
  }
  return readable * 4 >= bytes.length * 3;
}

/** The value of each character as a digit, or -1. */
function digitValues(alphabets: readonly string[]): Int8Array {
  const values = new Int8Array(256).fill(-1);
  for (const alphabet of alphabets) {
    for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  }
  return values;
}

const LETTERS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64 = digitValues([`${LETTERS_AND_DIGITS}+/`, `${LETTERS_AND_DIGITS}-_`]);
/** The value of each hexadecimal digit, or -1. */
export const HEX: Int8Array = digitValues(["0123456789abcdef", "0123456789ABCDEF"]);
const IS_SEPARATOR = Uint8Array.from(
  { length: 256 },
  (_, code) => " ,:;-\t\r\n".includes(String.fromCharCode(code)) ? 1 : 0,
);
