import { ENTITIES } from "./mask_entities.ts";
import { HEX } from "./mask_runs.ts";
import { type MaskView, MaskViewBuilder } from "./mask_view.ts";

const [TAB, LF, CR, SPACE, NUMBER_SIGN, EQUALS] = [0x09, 0x0a, 0x0d, 0x20, 0x23, 0x3d];
const [BACKSLASH, LETTER_U, BRACE] = [0x5c, 0x75, 0x7b];

/** The result of decoding a view once more. */
export interface Decoded {
  view: MaskView;
  /** The decoded bytes that may begin a further escape sequence, such as a `%`. */
  created: number[];
}

/** Decodes a whole text in one way. */
export interface TextDecoder {
  /** The bytes that its escape sequences begin with. */
  starts: readonly number[];
  /** Reads a view; returns nothing if that changes nothing. */
  decode(view: MaskView): Decoded | undefined;
}

const LINE_BREAKS = [LF, CR];

/** The decoders of whole texts, in the order that suits most texts. */
export const TEXT_DECODERS: readonly TextDecoder[] = [
  { starts: [0], decode: withoutZeros },
  { starts: LINE_BREAKS, decode: (view) => withoutLineBreaks(view, false, []) },
  { starts: LINE_BREAKS, decode: (view) => withoutLineBreaks(view, true, []) },
  escapes("\\", readBackslash),
  escapes("=", readEqualsSign, LINE_BREAKS, isQuotedPrintable),
  escapes("%", readPercent),
  escapes("&", readEntity),
];

/** The bytes that an escape sequence of any decoder begins with. */
const STARTS: ReadonlySet<number> = new Set(TEXT_DECODERS.flatMap(({ starts }) => starts));

/** Reads wrapped text, in which each line break replaces a space. */
export function joinLines(view: MaskView): MaskView | undefined {
  return withoutLineBreaks(view, true, [SPACE])?.view;
}

/** A character, or a byte of one, that is written as an escape sequence. */
interface Escape {
  /** The code of the character, or the byte; nothing if the sequence stands for nothing. */
  code?: number;
  /** The length of the escape sequence in bytes. */
  length: number;
  isByte?: boolean;
}

/** Reads the escape sequence at an offset, or returns `undefined` if there is none. */
type ReadEscape = (bytes: Uint8Array, at: number) => Escape | undefined;

/**
 * Returns a decoder of escape sequences that begin with a character.
 *
 * @param others Other bytes that a sequence needs, without which there is none to decode.
 * @param applies Whether a text is worth decoding.
 */
function escapes(
  character: string,
  read: ReadEscape,
  others: readonly number[] = [],
  applies: (bytes: Uint8Array) => boolean = () => true,
): TextDecoder {
  const start = character.charCodeAt(0);
  const decode = (view: MaskView): Decoded | undefined => {
    const { bytes } = view;
    if (!applies(bytes)) return undefined;
    let at = bytes.indexOf(start);
    let escape: Escape | undefined;
    while (at >= 0 && !(escape = read(bytes, at))) at = bytes.indexOf(start, at + 1);
    if (!escape) return undefined;
    const builder = new MaskViewBuilder(bytes.length);
    const created = new Set<number>();
    builder.pushFrom(view, 0, at);
    for (let i = at; i < bytes.length;) {
      escape = bytes[i] === start ? read(bytes, i) : undefined;
      if (!escape) {
        builder.pushFrom(view, i, ++i);
        continue;
      }
      const { code, length, isByte } = escape;
      const [from, to] = [view.from(i), view.to(i + length - 1)];
      i += length;
      if (code === undefined) {
        // The other line breaks are left.
        created.add(LF);
        continue;
      }
      if (isByte) builder.push(code, from, to);
      else builder.pushCode(code, from, to);
      if (STARTS.has(code)) created.add(code);
    }
    return { view: builder.view(), created: [...created] };
  };
  return { starts: [start, ...others], decode };
}

/** The characters that a backslash and a letter, or a zero, stand for. */
const LETTERS: Record<string, number> = {
  0: 0,
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  e: 27,
};

/** The digits that follow the letters `x`, `u` and `U`. */
const DIGITS: Record<string, number> = { x: 2, u: 4, U: 8 };

/** Reads escapes of JSON and programs: `\n`, `\"`, `\u00e4`, `\u{e4}`, `\x{e4}`, and as bytes `\xe4`, `\344`. */
function readBackslash(bytes: Uint8Array, at: number): Escape | undefined {
  const next = bytes[at + 1]!;
  // Past the end it is undefined.
  if (!(next < 0x80)) return undefined;
  const char = String.fromCharCode(next);
  if (!/[A-Za-z0-9]/.test(char)) return { code: next, length: 2 };
  const octal = /[0-3][0-7]{2}/.exec(ascii(bytes, at + 1, at + 4))?.[0];
  if (octal !== undefined) return { code: parseInt(octal, 8), length: 4, isByte: true };
  if (char in LETTERS) return { code: LETTERS[char]!, length: 2 };
  if (!(char in DIGITS)) return undefined;
  if (bytes[at + 2] === BRACE) {
    const text = ascii(bytes, at + 3, at + 12);
    const digits = /^[\da-f]{1,8}(?=\})/i.exec(text)?.[0];
    return digits === undefined ? undefined : {
      code: parseInt(digits, 16),
      length: digits.length + 4,
    };
  }
  const code = hexNumber(bytes, at + 2, DIGITS[char]!);
  if (code === undefined) return undefined;
  if (char === "x") return { code, length: 4, isByte: true };
  if (char === "U" || code < 0xd800 || code > 0xdbff) return { code, length: DIGITS[char]! + 2 };
  const isPair = bytes[at + 6] === BACKSLASH && bytes[at + 7] === LETTER_U;
  const low = isPair ? hexNumber(bytes, at + 8, 4) : undefined;
  return low === undefined || low < 0xdc00 || low > 0xdfff
    ? { code, length: 6 }
    : { code: (code - 0xd800) * 0x400 + low - 0xdc00 + 0x10000, length: 12 };
}

/** Reads escapes of URLs: `%C3%A4`, a byte each, and `%u00e4`. */
function readPercent(bytes: Uint8Array, at: number): Escape | undefined {
  if (bytes[at + 1] === LETTER_U) {
    const code = hexNumber(bytes, at + 2, 4);
    return code === undefined ? undefined : { code, length: 6 };
  }
  const code = hexNumber(bytes, at + 1, 2);
  return code === undefined ? undefined : { code, length: 3, isByte: true };
}

/** Reads escapes of quoted-printable: `=C3=A4`, a byte each, and `=` before a line break. */
function readEqualsSign(bytes: Uint8Array, at: number): Escape | undefined {
  const end = bytes[at + 1] === CR ? at + 2 : at + 1;
  if (bytes[end] === LF) return { length: end + 1 - at };
  const code = hexNumber(bytes, at + 1, 2);
  return code === undefined ? undefined : { code, length: 3, isByte: true };
}

/**
 * Whether a text can be quoted-printable. In most texts an `=` before two digits is something else,
 * such as `page=10`: those of quoted-printable follow each other, or stand for a special character.
 */
function isQuotedPrintable(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(EQUALS); at >= 0; at = bytes.indexOf(EQUALS, at + 1)) {
    const escape = readEqualsSign(bytes, at);
    if (!escape) continue;
    if (escape.code === undefined || bytes[at + 3] === EQUALS) return true;
    const isSpecial = escape.code >= SPACE && !/\w/.test(String.fromCharCode(escape.code));
    if (isSpecial && !/[a-f]/.test(ascii(bytes, at + 1, at + 3))) return true;
  }
  return false;
}

/** Reads entities of HTML and XML: `&auml;`, `&#228;`, `&#xe4;`. */
function readEntity(bytes: Uint8Array, at: number): Escape | undefined {
  const text = ascii(bytes, at + 1, at + 13);
  const isNumber = bytes[at + 1] === NUMBER_SIGN;
  const match = (isNumber ? /^#0*(?:(\d{1,7})|[xX]0*([\da-fA-F]{1,6}));?/ : /^(\w+);/).exec(text);
  if (!match) return undefined;
  const [{ length }, first, second] = match;
  const code = !isNumber
    ? ENTITIES.get(first!)
    : first === undefined
    ? parseInt(second!, 16)
    : Number(first);
  return code === undefined ? undefined : { code, length: length + 1 };
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

/** Reads a number of hexadecimal digits, or returns `undefined` if there are fewer. */
function hexNumber(bytes: Uint8Array, at: number, digits: number): number | undefined {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = HEX[bytes[i] ?? 0]!;
    if (digit < 0) return undefined;
    value = value * 16 + digit;
  }
  return value;
}

/** Replaces each line break by some bytes, with or without the spaces and tabs around it. */
function withoutLineBreaks(
  view: MaskView,
  withSpaces: boolean,
  replacement: readonly number[],
): Decoded | undefined {
  const { bytes } = view;
  if (!LINE_BREAKS.some((byte) => bytes.includes(byte))) return undefined;
  const isBlank = (byte: number | undefined) => withSpaces && (byte === SPACE || byte === TAB);
  const builder = new MaskViewBuilder(bytes.length);
  for (let i = 0; i < bytes.length;) {
    let end = i;
    let hasBreak = false;
    for (; isBlank(bytes[end]) || LINE_BREAKS.includes(bytes[end]!); end++) {
      hasBreak ||= !isBlank(bytes[end]);
    }
    if (hasBreak) {
      for (const byte of replacement) builder.push(byte, view.from(i), view.to(end - 1));
    } else {
      end = Math.max(end, i + 1);
      builder.pushFrom(view, i, end);
    }
    i = end;
  }
  return { view: builder.view(), created: [] };
}

/**
 * Reads UTF-16 and UTF-32 of characters up to U+00FF: leaves out the zero bytes, except single ones
 * between other bytes.
 */
export function withoutZeros(view: MaskView): Decoded | undefined {
  const { bytes } = view;
  const isLeftOut = (i: number) =>
    view.isZero(i) && [i - 2, i - 1, i + 1, i + 2].some((other) => view.isZero(other));
  let at = bytes.indexOf(0);
  while (at >= 0 && !isLeftOut(at)) at = bytes.indexOf(0, at + 1);
  if (at < 0) return undefined;
  const builder = new MaskViewBuilder(bytes.length);
  builder.pushFrom(view, 0, at);
  for (let i = at; i < bytes.length; i++) {
    if (!isLeftOut(i)) builder.pushFrom(view, i, i + 1);
  }
  return { view: builder.view(), created: [] };
}
