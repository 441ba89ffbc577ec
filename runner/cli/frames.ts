import type { Mask } from "../engine/mask.ts";
import type { Output } from "../report/reporter.ts";
import { defuseCiCommands } from "../report/safe_text.ts";

/** How much of a frame is shown. */
const LONGEST = 2_000;

type MakeSocket = (url: string) => WebSocket;

/** Makes sockets like another does, and writes each frame that goes over them, without secrets. */
export function loudSockets(
  output: Output,
  mask: Mask,
  make: MakeSocket = (url) => new WebSocket(url),
): MakeSocket {
  let sockets = 0;
  return (url) => {
    const socket = make(url);
    const name = `#${++sockets}`;
    const show = (arrow: string, data: unknown) => {
      const text = mask.text(typeof data === "string" ? data : "(binary)");
      const rest = text.length - LONGEST;
      const more = rest > 0 ? ` … ${rest} more characters` : "";
      output.write(`${name} ${arrow} ${defuseCiCommands(text.slice(0, LONGEST))}${more}\n`);
    };
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      show("→", data);
      send(data);
    };
    socket.addEventListener("message", ({ data }) => show("←", data));
    return socket;
  };
}
