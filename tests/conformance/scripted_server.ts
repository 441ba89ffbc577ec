import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** A WebSocket server whose behaviour a test defines. */
export interface ScriptedServer {
  url: string;
  close(): Promise<void>;
}

/** Starts a server that calls `serve` with each connection; `send` sends text or a frame. */
export async function scriptedServer(
  serve: (send: (frame: unknown) => void, socket: WebSocket) => void,
): Promise<ScriptedServer> {
  const http: Server = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket: WebSocket) => {
    serve(
      (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
      socket,
    );
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}/dwp`,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}
