import { DispatchError } from "../errors.ts";

/** An answer or message with more characters than this is refused, before it fills the memory. */
const MAX_LENGTH = 67_108_864;

/** The address of an HTTP endpoint below the address of the WebSocket. */
export function endpoint(url: string | URL, path: string): URL {
  const address = new URL(url);
  address.protocol = address.protocol.replace(/^ws/, "http");
  address.pathname = address.pathname.replace(/\/$/, "") + path;
  return address;
}

/** Yields the text of a body as it arrives; cancels the body when nobody reads on. */
export async function* readText(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield decoder.decode(value, { stream: true });
    }
  } finally {
    // A body that has ended, or was cancelled before, may refuse.
    reader.cancel().catch(() => {});
  }
}

/** Reads the text of a body, up to a length that is too long. */
export async function readAll({ body }: Response): Promise<string> {
  let text = "";
  for await (const part of body ? readText(body.getReader()) : []) {
    text += part;
    if (isTooLong(text)) break;
  }
  return text;
}

/** Whether a message is too long to go on reading. */
export function isTooLong({ length }: string): boolean {
  return length > MAX_LENGTH;
}

/** Creates the error for a message that is too long. */
export function tooLarge(what: string): DispatchError {
  const text = `Cannot ${what}: the answer has more than ${MAX_LENGTH} characters`;
  return new DispatchError(text, "too_large", { delivery: "unknown" });
}
