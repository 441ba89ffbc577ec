import type { WorldFault, WorldFrame } from "./faults.ts";
import type { NetworkPeer, WorldSocket } from "./socket.ts";
import type { WorldClock } from "./timeline.ts";
import { frameText } from "./trace.ts";

type Message = string | Uint8Array<ArrayBuffer>;
type Direction = "in" | "out";

/** The socket of an embedded server, with the members that only a simulated network uses. */
interface NodeSocket extends WebSocket {
  terminate(): void;
  unsent: number;
}

/** Enough waiting bytes to keep an embedded server from writing events. */
const CONGESTED = 2 ** 21;

/** A connection between a client and a node of a {@linkcode World}. */
export interface WorldConnection {
  /** The client's name and a number, such as `client#2`. */
  readonly name: string;
  /** The client's name. */
  readonly client: string;
  /** The index of the node. */
  readonly node: number;
  /** When the client began to connect, in the time of the world. */
  readonly openedAt: number;
  /** The node's name for the session, once it has accepted the token. */
  readonly sessionId: string | undefined;
  /** Whether the client's socket is not closed. */
  readonly isOpenAtClient: boolean;
  /** Whether the node takes the connection for open. */
  readonly isOpenAtNode: boolean;
  /** Whether nothing arrives any more, although neither end was told. */
  readonly isMuted: boolean;
  /** Drops the connection at both ends. */
  cut(): void;
  /** Stops all frames and leaves the connection open. */
  mute(): void;
  /** Keeps the node from writing events for so many milliseconds. */
  stall(ms: number): void;
}

/** What a network needs to know of a node. */
export interface NetworkNode {
  readonly index: number;
  readonly clock: WorldClock;
  /** Opens a direct connection to the node; it is closed at once if the node is down. */
  webSocket(): WebSocket;
  /** Handles an HTTP request, without a network. */
  fetch(url: URL, init: RequestInit): Promise<Response>;
}

/** Settings of a {@linkcode Connection}. */
export interface ConnectionOptions {
  name: string;
  socket: WorldSocket;
  client: WorldClock;
  node: NetworkNode;
  openedAt: number;
  latency(): number;
  faultFor(frame: Omit<WorldFrame, "number">): WorldFault | undefined;
  record(what: string, frame?: string): void;
}

/** One connection of a simulated network. */
export class Connection implements NetworkPeer, WorldConnection {
  readonly #options: ConnectionOptions;
  /** When the last frame arrives, in each direction: later ones do not overtake it. */
  readonly #lastAt = { in: 0, out: 0 };
  #node: NodeSocket | undefined;
  #isMuted = false;
  #isCut = false;
  sessionId: string | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get client(): string {
    return this.#options.client.name;
  }

  get node(): number {
    return this.#options.node.index;
  }

  get openedAt(): number {
    return this.#options.openedAt;
  }

  get isOpenAtClient(): boolean {
    return this.#options.socket.readyState < this.#options.socket.CLOSED;
  }

  get isOpenAtNode(): boolean {
    return this.#node !== undefined && this.#node.readyState === this.#node.OPEN;
  }

  get isMuted(): boolean {
    return this.#isMuted;
  }

  /** Opens the connection. */
  begin(): void {
    const { node, record } = this.#options;
    record(`opens to node ${node.index + 1}`);
    const fault = this.#faultFor("open", "");
    if (fault) record(fault.do);
    if (fault?.do === "half-open" || fault?.do === "drop") this.#isMuted = true;
    if (fault?.do === "refuse" || fault?.do === "cut") return this.#endClient();
    this.#arrive("in", fault?.do === "delay" ? fault.ms : 0, () => this.#openNode());
  }

  send(message: Message): void {
    this.#carry("in", message);
  }

  close(): void {
    this.#options.record("closes");
    this.#arrive("in", 0, () => this.#node?.close());
  }

  drop(): void {
    this.#options.record("drops");
    this.#arrive("in", 0, () => this.#node?.terminate());
  }

  cut(): void {
    if (this.#isCut) return;
    this.#options.record("is cut");
    this.#isCut = true;
    this.#node?.terminate();
    this.#endClient();
  }

  mute(): void {
    this.#options.record("is muted");
    this.#isMuted = true;
  }

  stall(ms: number): void {
    const node = this.#node;
    if (!node) return;
    this.#options.record("stalls");
    node.unsent = CONGESTED;
    this.#options.node.clock.setTimeout(() => node.unsent = 0, ms);
  }

  #openNode(): void {
    const node = this.#node = this.#options.node.webSocket() as NodeSocket;
    node.binaryType = "arraybuffer";
    node.onopen = () => this.#arrive("out", 0, () => this.#options.socket.opened());
    node.onmessage = ({ data }) => {
      this.#carry("out", typeof data === "string" ? data : new Uint8Array(data));
    };
    node.onclose = ({ code, reason }) => {
      this.#options.record("ends at the node");
      this.#arrive("out", 0, () => this.#options.socket.end(code, reason));
    };
  }

  #carry(direction: Direction, message: Message): void {
    const { record } = this.#options;
    const text = frameText(message);
    if (direction === "out") this.sessionId ??= /"session_id":"([^"]+)"/.exec(text)?.[1];
    const fault = this.#faultFor(direction, text);
    const what = direction === "in" ? "sends" : "receives";
    record(fault ? `${what}, but ${fault.do}` : what, text);
    const pass = (passed: Message, delay = 0) =>
      this.#arrive(direction, delay, () => {
        if (direction === "out") this.#options.socket.receive(passed);
        else if (this.isOpenAtNode) this.#node!.send(passed);
      });
    switch (fault?.do) {
      case "drop":
        return;
      case "delay":
        return pass(message, fault.ms);
      case "duplicate":
        pass(message);
        return pass(message);
      case "malformed":
        return pass(message.slice(0, message.length >> 1) as Message);
      case "half-open":
        return this.mute();
      case "cut":
      case "refuse":
        return this.cut();
      case "stall":
        this.stall(fault.ms ?? 100);
    }
    pass(message);
  }

  #faultFor(direction: WorldFrame["direction"], text: string): WorldFault | undefined {
    const { name, client, node } = this.#options;
    const frame = { connection: name, client: client.name, node: node.index, direction, text };
    const fault = this.#options.faultFor(frame);
    return fault && { ms: 100, ...fault };
  }

  /** Calls back at the receiver once something has crossed the network. */
  #arrive(direction: Direction, delay = 0, act: () => void): void {
    // What never arrives is no pending work of the receiver.
    if (this.#isMuted || this.#isCut) return;
    const { client, node, latency } = this.#options;
    const clock = direction === "in" ? node.clock : client;
    const now = clock.monotonic();
    const at = Math.max(now + delay + latency(), this.#lastAt[direction]);
    this.#lastAt[direction] = at;
    clock.setTimeout(() => {
      if (!this.#isMuted && !this.#isCut) act();
    }, at - now);
  }

  #endClient(): void {
    const { client, socket, latency } = this.#options;
    client.setTimeout(() => socket.end(1006, ""), latency());
  }
}
