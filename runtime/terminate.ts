// The WebSocket API can only ask a peer to close. A server that runs a workflow in a connection's
// read loop does not read the request until the run ends, and Deno and Node keep the process alive
// for that long. So each runtime's own way to drop the socket is looked for here.

// deno-lint-ignore-file no-explicit-any

/** Sockets of Node's WebSockets, found by the local port that both of its channels name. */
const nodeSockets = new WeakMap<WebSocket, { destroy(): void }>();
let observing = false;

/**
 * Prepares for {@linkcode terminate}. Called before a WebSocket is made; only Node needs it, since
 * there a WebSocket's socket is told only while it opens.
 */
export function observeSockets(): void {
  if (observing) return;
  observing = true;
  const globals = globalThis as any;
  if (globals.Deno || globals.Bun) return;
  const channel = globals.process?.getBuiltinModule?.("node:diagnostics_channel");
  if (!channel) return;
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
 * @returns Whether the runtime has a way to. Where it has none (browsers), the socket is asked to
 * close and goes when its peer answers.
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
