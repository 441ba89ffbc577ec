// The WebSocket API can only ask the peer to close. A server that runs a workflow in the read loop
// of a connection does not read that request until the run ends, and Deno and Node keep the process
// alive until then. Each runtime has its own way to drop the socket.

// deno-lint-ignore-file no-explicit-any
import { observeFailures } from "./node_failures.ts";

/** The TCP sockets of Node's WebSockets, matched by the local port that both channels report. */
const nodeSockets = new WeakMap<WebSocket, { destroy(): void }>();
let observing = false;

/**
 * Prepares for {@linkcode terminate} and for explaining failures. Call it before creating a WebSocket:
 * Node reports its TCP socket, or why there is none, only while it opens. Does nothing on other
 * runtimes.
 */
export function observeSockets(): void {
  if (observing) return;
  observing = true;
  const globals = globalThis as any;
  if (globals.Deno || globals.Bun) return;
  const channel = globals.process?.getBuiltinModule?.("node:diagnostics_channel");
  if (!channel) return;
  observeFailures(channel);
  const opening = new Map<number, WeakRef<any>>();
  channel.subscribe("undici:client:connected", ({ socket }: any) => {
    const port = socket?.localPort;
    if (port === undefined) return;
    opening.set(port, new WeakRef(socket));
    socket.once("close", () => opening.delete(port));
  });
  channel.subscribe("undici:websocket:open", ({ address, websocket }: any) => {
    const socket = opening.get(address?.port)?.deref();
    if (socket) nodeSockets.set(websocket, socket);
  });
}

/**
 * Drops a WebSocket's connection without a closing handshake.
 *
 * @returns Whether the runtime can do that. If not, as in browsers, the WebSocket closes normally,
 * which takes until the peer responds.
 */
export function terminate(socket: WebSocket): boolean {
  const own = socket as any;
  if (typeof own.terminate === "function") {
    own.terminate();
    return true;
  }
  const node = nodeSockets.get(socket);
  if (node) {
    node.destroy();
    return true;
  }
  const deno = (globalThis as any).Deno;
  const core = deno?.[deno.internal]?.core;
  const key = Object.getOwnPropertySymbols(socket).find((s) => s.description === "[[rid]]");
  if (typeof core?.tryClose === "function" && key && typeof own[key] === "number") {
    core.tryClose(own[key]);
    return true;
  }
  socket.close();
  return false;
}
