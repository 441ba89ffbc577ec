// Go's JSON decoder works on bytes: it names the byte that is wrong, and puts U+FFFD in place of each
// byte of a string that is not UTF-8. `TextDecoder` puts one in place of several. So a byte that is
// not UTF-8 becomes a lone surrogate, which well-formed UTF-8 cannot contain.

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ESCAPE = 0xdc00;

/** Decodes UTF-8. A byte that is not UTF-8 becomes U+DC00 plus the byte. */
export function decodeUtf8(bytes: Uint8Array): string {
  const whole = decodeStrictly(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = lengthAt(bytes[at]!);
    const char = at + length <= bytes.length
      ? decodeStrictly(bytes.subarray(at, at + length))
      : undefined;
    text += char ?? String.fromCharCode(ESCAPE + bytes[at]!);
    at += char === undefined ? 1 : length;
  }
  return text;
}

/** Returns the byte that a code unit stands for, if it stands for one that is not UTF-8. */
export function escapedByte(code: number): number | undefined {
  return code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? code - ESCAPE : undefined;
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The length in bytes of a character that begins with this byte. */
function lengthAt(byte: number): number {
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  return byte < 0xf0 ? 3 : 4;
}
