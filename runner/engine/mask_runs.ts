import { type MaskView, MaskViewBuilder } from "./mask_view.ts";

const [DIGIT_0, CAPITAL_X, LETTER_X, EQUALS] = [0x30, 0x58, 0x78, 0x3d];

/** Decodes all that can be base64, base32, or bytes as hexadecimal or decimal numbers. */
export function decodeRuns(view: MaskView, shortest: number): MaskView[] {
  return [
    ...decodeBitRuns(view, shortest, BASE64),
    ...decodeBitRuns(view, shortest, BASE32),
    ...decodeHexRuns(view, shortest),
    ...decodeDecimalRuns(view, shortest),
  ];
}

/** An encoding whose characters have the same number of bits each. */
interface BitEncoding {
  /** The value of each character, or -1. */
  values: Int8Array;
  bits: number;
  /** The fewest characters that encode whole bytes; an encoding has as many alignments. */
  group: number;
  /** The most `=` at the end. */
  padding: number;
}

/** Decodes all that can be in an encoding. As its beginning is not known, each alignment is one view. */
function decodeBitRuns(view: MaskView, shortest: number, encoding: BitEncoding): MaskView[] {
  const { bytes } = view;
  const { values, bits, group, padding } = encoding;
  const ranges: BitRange[] = [];
  for (let start = 0; start < bytes.length; start++) {
    if (values[bytes[start]!]! < 0) continue;
    let end = start + 1;
    while (values[bytes[end]!]! >= 0) end++;
    let paddedEnd = end;
    while (paddedEnd < end + padding && bytes[paddedEnd] === EQUALS) paddedEnd++;
    if ((end - start) * bits >= shortest * 8) ranges.push({ start, end, paddedEnd });
    start = end;
  }
  if (ranges.length === 0) return [];
  const size = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return Array.from({ length: group }, (_, shift) => {
    const builder = new MaskViewBuilder(size);
    for (const range of ranges) decodeRange(view, range, shift, encoding, builder);
    return builder.view();
  });
}

/** Decodes a word of the characters of base64, from the character `shift` on. */
export function decodeWord(word: string, shift: number): Uint8Array {
  const { values, bits } = BASE64;
  const bytes = new Uint8Array(Math.max(0, (word.length - shift) * bits >> 3));
  let [value, size, length] = [0, 0, 0];
  for (let i = shift; i < word.length; i++) {
    value = (value << bits | values[word.charCodeAt(i)]!) & 0xffff;
    size += bits;
    if (size < 8) continue;
    size -= 8;
    bytes[length++] = value >> size & 0xff;
  }
  return bytes;
}

/** A range of characters of an encoding. */
interface BitRange {
  start: number;
  end: number;
  /** The end of the padding after it. */
  paddedEnd: number;
}

function decodeRange(
  view: MaskView,
  { start, end, paddedEnd }: BitRange,
  shift: number,
  { values, bits }: BitEncoding,
  builder: MaskViewBuilder,
): void {
  let [value, size] = [0, 0];
  for (let i = start + shift; i < end; i++) {
    value = (value << bits | values[view.bytes[i]!]!) & 0xffff;
    size += bits;
    if (size < 8) continue;
    const first = i + 1 - Math.ceil(size / bits);
    size -= 8;
    const last = i === end - 1 ? paddedEnd - 1 : i;
    builder.push(value >> size & 0xff, view.from(first), view.to(last));
  }
  builder.pushEnd();
}

/** Decodes all that can be hexadecimal, also with separators: `68 65`, `68:65`, `0x68, 0x65`. */
function decodeHexRuns(view: MaskView, shortest: number): MaskView[] {
  const { bytes } = view;
  const runs: number[][] = [];
  let digits: number[] = [];
  for (let i = 0; i <= bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    if (byte === DIGIT_0 && (bytes[i + 1] === LETTER_X || bytes[i + 1] === CAPITAL_X)) i++;
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

/** Decodes lists of numbers up to 255, as JSON and programs write bytes: `104,101`, `[104 101]`. */
function decodeDecimalRuns(view: MaskView, shortest: number): MaskView[] {
  const { bytes } = view;
  const runs: DecimalByte[][] = [];
  let run: DecimalByte[] = [];
  for (let i = 0; i <= bytes.length;) {
    let end = i;
    let value = 0;
    while (IS_DIGIT[bytes[end] ?? 0] && value <= 0xff) value = value * 10 + bytes[end++]! - DIGIT_0;
    if (end > i && value <= 0xff) {
      run.push({ value, start: i, end });
      i = end;
      continue;
    }
    const isEnd = !IS_SEPARATOR[bytes[i++] ?? 0];
    if (!isEnd || run.length === 0) continue;
    if (run.length >= shortest) runs.push(run);
    run = [];
  }
  if (runs.length === 0) return [];
  const builder = new MaskViewBuilder(runs.reduce((sum, { length }) => sum + length + 1, 0));
  for (const run of runs) {
    for (const { value, start, end } of run) {
      builder.push(value, view.from(start), view.to(end - 1));
    }
    builder.pushEnd();
  }
  return [builder.view()];
}

/** A byte that is written as a decimal number. */
interface DecimalByte {
  value: number;
  start: number;
  end: number;
}

/**
 * Returns the parts of decoded views that look like text. Most of what can be base64 is not, so the
 * rest is not worth decoding again.
 */
export function readableParts(views: readonly MaskView[], shortest: number): MaskView {
  const builder = new MaskViewBuilder(views.reduce((sum, { length }) => sum + length, 0));
  for (const view of views) {
    for (let start = 0, end; start < view.length; start = end + 1) {
      // Each part ends with a zero.
      end = view.bytes.indexOf(0, start);
      if (end - start >= shortest && looksLikeText(view.bytes.subarray(start, end))) {
        builder.pushFrom(view, start, end);
        builder.pushEnd();
      }
    }
  }
  return builder.view();
}

/** Whether three of four bytes are printable ASCII, white space, or belong to UTF-8 characters. */
export function looksLikeText(bytes: Uint8Array): boolean {
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
const BASE64: BitEncoding = {
  values: digitValues([`${LETTERS_AND_DIGITS}+/`, `${LETTERS_AND_DIGITS}-_`]),
  bits: 6,
  group: 4,
  padding: 2,
};
const BASE32: BitEncoding = {
  values: digitValues(["ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"]),
  bits: 5,
  group: 8,
  padding: 6,
};
/** The value of each hexadecimal digit, or -1. */
export const HEX: Int8Array = digitValues(["0123456789abcdef", "0123456789ABCDEF"]);
const IS_DIGIT = membersOf("0123456789");
const IS_SEPARATOR = membersOf(" ,:;-\t\r\n\"'");

/** Returns 1 for each character of a text. */
function membersOf(text: string): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => +text.includes(String.fromCharCode(code)));
}
