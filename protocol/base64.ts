/** Encodes text as the base64 of its UTF-8 bytes. */
export function encodeBase64(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/**
 * Decodes base64 as UTF-8 text.
 * @throws {DOMException} If the input is not base64.
 */
export function decodeBase64(base64: string): string {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new TextDecoder().decode(bytes);
}

/**
 * Decodes base64 as a JSON value. Servers send `payload`, `input`, `output` and a checkpoint's
 * `data` that way. Returns the base64 text unchanged if the bytes are not JSON.
 */
export function decodeJsonBase64(base64: unknown): unknown {
  if (typeof base64 !== "string") return base64;
  try {
    return JSON.parse(decodeBase64(base64));
  } catch {
    return base64;
  }
}
