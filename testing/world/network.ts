import { seededRandom } from "../../runtime/random.ts";
import { Connection, type NetworkNode } from "./connection.ts";
import type { FaultPolicy, WorldFault, WorldFrame } from "./faults.ts";
import { WorldSocket } from "./socket.ts";
import type { WorldClock } from "./timeline.ts";
import type { TraceEntry } from "./trace.ts";

/** Settings of a {@linkcode Network}. */
export interface NetworkOptions {
  seed: number;
  /** The shortest and longest time that a frame takes, in milliseconds. */
  latency: readonly [number, number];
  nodes: readonly NetworkNode[];
  faults: FaultPolicy;
  /** Returns the time of the world. */
  now(): number;
  record(entry: Omit<TraceEntry, "at">): void;
}

/** Connects clients to nodes. Frames take a random time, and the policy's faults happen to them. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #connections: Connection[] = [];
  readonly #opened = new Map<string, number>();
  /**
   * How many frames there were. HTTP has a counter of its own, because its order may differ between
   * runtimes.
   */
  readonly #frames = { socket: 0, http: 0 };
  /** Decides what happens to frames. */
  faults: FaultPolicy;

  constructor(options: NetworkOptions) {
    this.#options = options;
    this.faults = options.faults;
  }

  /** Every connection so far. */
  get connections(): readonly Connection[] {
    return this.#connections;
  }

  /**
   * Opens a connection.
   * @param host The host of the address: `node-1` and so on, or another for a random node.
   */
  open(client: WorldClock, url: string): WorldSocket {
    const { name, node, random } = this.begin(client, url);
    let connection!: Connection;
    return new WorldSocket(url, (socket) => {
      connection = new Connection({
        name,
        socket,
        client,
        node,
        openedAt: this.#options.now(),
        latency: () => this.latency(random),
        faultFor: (frame) => this.faultFor(frame),
        record: (what, frame) => this.#options.record({ who: name, what, frame }),
      });
      this.#connections.push(connection);
      connection.begin();
      return connection;
    });
  }

  /** Names a new connection of a client and chooses its node. */
  begin(client: WorldClock, url: string): {
    name: string;
    node: NetworkNode;
    random: () => number;
  } {
    const { nodes, seed } = this.#options;
    const number = (this.#opened.get(client.name) ?? 0) + 1;
    this.#opened.set(client.name, number);
    // Its own generator, so that connections do not change each other's delays.
    const random = seededRandom(seed + client.rank * 65_537 + number * 257);
    const named = /^node-(\d+)$/.exec(new URL(url).hostname)?.[1];
    const index = named === undefined ? Math.floor(random() * nodes.length) : Number(named) - 1;
    return { name: `${client.name}#${number}`, node: nodes[index]!, random };
  }

  /** Returns how long a frame takes. */
  latency(random: () => number): number {
    const [least, most] = this.#options.latency;
    return least + Math.floor(random() * (most - least + 1));
  }

  /** Counts a frame; returns the fault that happens to it. */
  faultFor(
    frame: Omit<WorldFrame, "number">,
    kind: "socket" | "http" = "socket",
  ): WorldFault | undefined {
    return this.faults({ ...frame, number: ++this.#frames[kind] });
  }
}
