import { connect, type Socket } from "node:net";

/** The headers of a valid upgrade, without `Host`. */
export const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/** Connects to a port; `text` is sent as it is. */
export async function openRaw(port: number, text: string): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  // Servers drop these connections as they like.
  socket.on("error", () => {});
  await new Promise((resolve) => socket.once("connect", resolve));
  socket.write(text);
  return socket;
}

/**
 * Sends a text; returns the head of the response, or all that came if the connection ended first.
 */
export async function rawRequest(port: number, text: string): Promise<string> {
  const socket = await openRaw(port, text);
  let response = "";
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk: Uint8Array) => {
      response += new TextDecoder().decode(chunk);
      if (response.includes("\r\n\r\n")) resolve();
    });
    socket.on("end", () => resolve());
    socket.on("close", () => resolve());
  });
  socket.destroy();
  return response;
}

/** The status of a response; 0 if there was none. */
export function statusOf(response: string): number {
  return Number(/^HTTP\/1\.\d (\d+)/.exec(response)?.[1] ?? 0);
}
