/**
 * A value as JSON the way Go writes it: `<`, `>` and `&` escaped, a member that is `undefined` left
 * out.
 */
export function goStringify(value: unknown): string {
  return escapeHtml(JSON.stringify(value));
}

/** Escapes in a JSON text what Go escapes; they stand nowhere but inside its strings. */
export function escapeHtml(json: string): string {
  if (!/[<>&\u2028\u2029]/.test(json)) return json;
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A text, or `undefined` for an empty one, which Go leaves out. */
export function omitEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

/** The base64 of bytes. */
export function base64OfBytes(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
