import type { Mask } from "../engine/mask.ts";
import { printable } from "../language/render_diagnostic.ts";
import type { Output } from "../report/reporter.ts";
import { truncate } from "../report/safe_text.ts";

/** How many characters of a frame are printed. */
const MAX_LENGTH = 2_000;

type MakeSocket = (url: string) => WebSocket;

/** Wraps a socket factory: prints every frame that its sockets send and receive, secrets masked. */
export function traceSockets(
  output: Output,
  mask: Mask,
  make: MakeSocket = (url) => new WebSocket(url),
): MakeSocket {
  let sockets = 0;
  return (url) => {
    const socket = make(url);
    const name = `#${++sockets}`;
    const print = (arrow: string, data: unknown) => {
      const text = mask.text(typeof data === "string" ? data : "(binary)");
      output.write(`${name} ${arrow} ${printable(truncate(text, MAX_LENGTH))}\n`);
    };
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      print("→", data);
      send(data);
    };
    socket.addEventListener("message", ({ data }) => print("←", data));
    return socket;
  };
}
