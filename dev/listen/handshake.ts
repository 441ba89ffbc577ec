/** Reads a header of a request; the name is in lower case. */
export type HeaderReader = (name: string) => string | null | undefined;

/** A request before its body. */
export interface RequestHead {
  method: string;
  /** What the request line says: a path or a URL, which need not be valid. */
  target: string;
  header: HeaderReader;
}

/** An HTTP response that rejects a request. */
export interface Rejection {
  status: number;
  text: string;
  headers?: Record<string, string>;
}

/** Rejects a request to the WebSocket endpoint that is not an upgrade. */
export const NOT_AN_UPGRADE: Rejection = { status: 400, text: badHeader("Upgrade") };

/** Validates the headers of an upgrade; returns the rejection if they are not valid. */
export function checkHandshake(header: HeaderReader): Rejection | undefined {
  if (header("upgrade")?.toLowerCase() !== "websocket") return NOT_AN_UPGRADE;
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(header("connection") ?? "")) {
    return { status: 400, text: badHeader("Connection") };
  }
  if (header("sec-websocket-key")?.length !== 24) {
    return { status: 400, text: badHeader("Sec-WebSocket-Key") };
  }
  if (header("sec-websocket-version") !== "13") {
    const headers = { "Sec-WebSocket-Version": "13" };
    return { status: 426, text: badHeader("Sec-WebSocket-Version"), headers };
  }
}

/** The message about a header that is missing or wrong. */
export function badHeader(name: string): string {
  return `handshake error: bad "${name}" header`;
}

/** Converts a rejection to a response. */
export function rejectionResponse({ status, text, headers = {} }: Rejection): Response {
  const type = "text/plain; charset=utf-8";
  return new Response(text, { status, headers: { "Content-Type": type, ...headers } });
}

/** Returns the path of a target, without the origin and the parameters. */
export function pathOf(target: string): string {
  return target.replace(/^[a-z]+:\/\/[^/?#]*/i, "").replace(/[?#].*$/s, "");
}

/**
 * Whether a request is for the endpoint. The target is what the request line says, a path or a URL;
 * it need not be a valid one.
 */
export function isEndpoint(target: string, path: string): boolean {
  const found = pathOf(target);
  return found === path || found === `${path}/`;
}
