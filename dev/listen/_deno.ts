import type { Clock } from "../../runtime/clock.ts";
import { terminate } from "../../runtime/terminate.ts";
import { headerReader, listenHttp, type Upgrade } from "./_node_http.ts";
import { ListenError } from "./errors.ts";
import type { Listener, ListenOptions, ServerSocket } from "./socket.ts";

/** Since this version, Deno can upgrade a connection of `node:http`. */
const OLDEST = "2.8";

/**
 * Listens on Deno. HTTP is that of `node:http`: `Deno.serve` keeps the descriptor of a connection
 * that was reset during its upgrade, and then never shuts down.
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { hostname, port } = options;
  if (isOlder(Deno.version.deno, OLDEST)) {
    const reason = `it needs Deno ${OLDEST} or newer, and this is ${Deno.version.deno}`;
    throw new ListenError(hostname, port, reason);
  }
  const sockets = new Set<DenoSocket>();
  /** The connections that are being upgraded. */
  const opening = new Set<Upgrade["socket"]>();
  const listener = await listenHttp(options, (upgrade) => {
    // A read that has begun would take the first message from the WebSocket.
    upgrade.socket.pause();
    opening.add(upgrade.socket);
    upgrade.socket.on("close", () => opening.delete(upgrade.socket));
    const socket = upgradeToWebSocket(upgrade);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      opening.delete(upgrade.socket);
      const accepted = new DenoSocket(socket, options.clock);
      sockets.add(accepted);
      const handler = options.open(accepted);
      socket.onmessage = ({ data }) =>
        handler.message(typeof data === "string" ? data : new Uint8Array(data));
      socket.onclose = () => {
        sockets.delete(accepted);
        handler.closed();
      };
    };
  });
  return {
    port: listener.port,
    close: () => {
      for (const socket of sockets) socket.terminate();
      for (const socket of opening) socket.destroy();
      // The promise would not resolve, because `node:http` still counts the upgraded connections.
      void listener.close();
      return Promise.resolve();
    },
  };
}

function upgradeToWebSocket({ request, socket, head }: Upgrade): WebSocket {
  const header = headerReader(request);
  const headers = new Headers();
  for (const name of ["upgrade", "connection", "sec-websocket-key"]) {
    headers.set(name, header(name)!);
  }
  // An idle timeout would make Deno send pings, which real servers do not.
  const options = { socket, head, idleTimeout: 0 };
  return Deno.upgradeWebSocket(new Request("http://localhost", { headers }), options).socket;
}

function isOlder(version: string, than: string): boolean {
  const [major, minor] = version.split(".").map(Number);
  const [oldMajor, oldMinor] = than.split(".").map(Number);
  return major! < oldMajor! || (major === oldMajor && minor! < oldMinor!);
}

class DenoSocket implements ServerSocket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  /** Whether it was terminated. Deno panics if such a socket is used before its close event. */
  #isTerminated = false;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#isOpen()) this.#socket.send(message);
  }

  buffered(): number {
    return this.#isOpen() ? this.#socket.bufferedAmount : 0;
  }

  close(code: number, reason: string): void {
    if (this.#isOpen()) this.#socket.close(code, reason);
  }

  drop(): void {
    if (!this.#isOpen()) return;
    if (this.#socket.bufferedAmount === 0) this.terminate();
    else this.#clock.setTimeout(() => this.drop(), 0);
  }

  terminate(): void {
    if (this.#isTerminated) return;
    this.#isTerminated = true;
    terminate(this.#socket);
  }

  #isOpen(): boolean {
    return !this.#isTerminated && this.#socket.readyState === WebSocket.OPEN;
  }
}
