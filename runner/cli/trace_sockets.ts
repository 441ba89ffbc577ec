import type { Mask } from "../engine/mask.ts";
import { printable } from "../language/render_diagnostic.ts";
import type { Output } from "../report/reporter.ts";
import { truncate } from "../report/safe_text.ts";

/** How many characters of a frame are printed. */
const MAX_LENGTH = 2_000;

/** Opens a WebSocket. */
export type MakeSocket = (url: string) => WebSocket;

/** A frame that a socket has sent or received. */
export interface TappedFrame {
  /** The number of the socket, from 1. */
  socket: number;
  /** Which way it went. */
  direction: "sent" | "received";
  /** Its text, with its secrets. */
  text: string;
}

/** Wraps a socket factory: calls back with every frame that its sockets send and receive. */
export function tapSockets(
  make: MakeSocket = (url) => new WebSocket(url),
  onFrame: (frame: TappedFrame) => void,
): MakeSocket {
  let sockets = 0;
  return (url) => {
    const socket = make(url);
    const number = ++sockets;
    const tap = (direction: TappedFrame["direction"], data: unknown) =>
      onFrame({ socket: number, direction, text: typeof data === "string" ? data : "(binary)" });
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      tap("sent", data);
      send(data);
    };
    socket.addEventListener("message", ({ data }) => tap("received", data));
    return socket;
  };
}

/** Wraps a socket factory: prints every frame that its sockets send and receive, secrets masked. */
export function traceSockets(output: Output, mask: Mask, make?: MakeSocket): MakeSocket {
  return tapSockets(make, ({ socket, direction, text }) => {
    const arrow = direction === "sent" ? "→" : "←";
    output.write(`#${socket} ${arrow} ${printable(truncate(mask.text(text), MAX_LENGTH))}\n`);
  });
}
