import type { Mask } from "../engine/mask.ts";
import type { Output } from "../report/reporter.ts";
import { defuseCiCommands } from "../report/safe_text.ts";

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
      const rest = text.length - MAX_LENGTH;
      const more = rest > 0 ? ` … ${rest} more characters` : "";
      output.write(`${name} ${arrow} ${defuseCiCommands(text.slice(0, MAX_LENGTH))}${more}\n`);
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
