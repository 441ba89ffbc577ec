import { MaskView } from "./mask_view.ts";

/** Shorter parts of a secret occur in too many texts to be masked. */
const MIN_PART_LENGTH = 8;

/**
 * Returns the bytes to search for: those of a secret without the white space around it, and of the
 * forms that programs commonly turn it into: its lines, a normalised address, doubled quotes.
 *
 * @param fewest The length of the shortest form.
 */
export function maskForms(secret: string, fewest: number): Uint8Array[] {
  const text = secret.trim();
  const forms = new Set(
    [text, ...multiLineForms(text), ...addressForms(text)].flatMap((form) => [
      form,
      // Encoders replace half a surrogate pair by U+FFFD.
      form.toWellFormed(),
      form.normalize("NFC"),
      form.normalize("NFD"),
      // HTML forms write a space as `+`, and headers of mail as `_`.
      form.replaceAll(" ", "+"),
      form.replaceAll(" ", "_"),
      // CSV doubles double quotes, YAML and SQL single ones.
      form.replaceAll('"', '""'),
      form.replaceAll("'", "''"),
    ]),
  );
  return [...forms].filter((form) => form.length >= fewest).flatMap(bytesOf);
}

/** Returns the bytes of a text in each character set that programs encode it in. */
function bytesOf(text: string): Uint8Array[] {
  const utf8 = MaskView.ofText(text).bytes;
  if (utf8.length === text.length) return [utf8];
  if (/[^\0-\xff]/.test(text)) return [utf8, utf16(text, 8), utf16(text, 0)];
  // `btoa` and `escape` encode these characters as one byte each. Their UTF-16 is found without
  // its zero bytes.
  return [utf8, Uint8Array.from(text, (char) => char.charCodeAt(0))];
}

/**
 * Encodes a text in UTF-16, without zero bytes at its ends, which also end the parts of a view.
 *
 * @param first How far each character is shifted for its first byte: 8 if big endian.
 */
function utf16(text: string, first: 0 | 8): Uint8Array {
  const bytes = Uint8Array.from({ length: text.length * 2 }, (_, i) => {
    return text.charCodeAt(i >> 1) >> (i % 2 === 0 ? first : 8 - first) & 0xff;
  });
  return bytes.subarray(bytes[0] === 0 ? 1 : 0, bytes.at(-1) === 0 ? -1 : undefined);
}

/** Returns the lines of a text, and the text without its line breaks. */
function multiLineForms(text: string): string[] {
  const lines = text.split(/[\r\n]/).map((line) => line.trim());
  return longParts([...lines, lines.join("")]);
}

/**
 * Returns the forms in which an address appears in requests and error messages, and the parts of it
 * that can be secret by themselves.
 */
function addressForms(address: string): string[] {
  if (!/^[a-z][a-z\d+.-]*:\/\//i.test(address) || !URL.canParse(address)) return [];
  const url = new URL(address);
  const { username, password, pathname, search, hash } = url;
  const whole = [url.href];
  url.hash = "";
  whole.push(url.href);
  url.username = url.password = "";
  whole.push(url.href);
  const path = `${pathname}${search}`;
  return [
    ...whole.flatMap((form) => [form, form.replace(/\/$/, "")]),
    // As they are in the address, they are found by decoding.
    decoded(username),
    decoded(password),
    ...longParts([path, `${path}${hash}`, pathname, search.slice(1)]),
  ];
}

function longParts(parts: readonly string[]): string[] {
  return parts.filter((part) => part.length >= MIN_PART_LENGTH);
}

/** Decodes a part of an address, or returns it as it is if it is not encoded correctly. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (_error) {
    // It can only be a URIError.
    return part;
  }
}
