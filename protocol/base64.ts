/** Encodes text as the base64 of its UTF-8 bytes. */
export function encodeBase64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * Decodes the UTF-8 text that a base64 text holds.
 * @throws {DOMException} When it is not base64.
 */
export function decodeBase64(base64: string): string {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new TextDecoder().decode(bytes);
}

/**
 * The JSON value that a base64 text holds, as a server sends `payload`, `input`, `output` and a
 * checkpoint's `data`. Bytes that are no JSON stay the base64 text they came as; nothing is lost.
 */
export function decodeJsonBase64(base64: unknown): unknown {
  if (typeof base64 !== "string") return base64;
  try {
    return JSON.parse(decodeBase64(base64));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DOMException) return base64;
    throw error;
  }
}
