import type { Dispatch } from "../../client/dispatch.ts";
import type { DispatchOptions, HttpOptions } from "../../client/options.ts";
import type { DevServer, DevServerOptions, Observer, Store } from "../../dev/mod.ts";
import type { WorldConnection } from "./connection.ts";
import type { FaultPolicy } from "./faults.ts";
import type { WorldClock } from "./timeline.ts";
import type { TraceEntry } from "./trace.ts";

/** Settings of {@linkcode createWorld}: those of the servers, and of what is between. */
export interface WorldOptions
  extends
    Omit<DevServerOptions, "allowOrigins" | "clock" | "hostname" | "listen" | "port" | "store"> {
  /** The seed of everything random. */
  seed: number;
  /**
   * How many servers share the store.
   * @default {1}
   */
  nodes?: number;
  /**
   * The shortest and longest time that a frame takes, in whole milliseconds.
   * @default {[1, 5]}
   */
  latency?: readonly [number, number];
  /** Decides what happens to each frame; by default it arrives. */
  networkFaults?: FaultPolicy;
  /** Creates the observer of a node, which stays when the node restarts. */
  observer?: (node: number) => Observer;
  /**
   * The time at which the world begins.
   * @default {"2026-01-01T00:00:00Z"}
   */
  start?: string;
}

/** One server of a {@linkcode World}. */
export interface WorldNode {
  /** The number of the node, from 0. */
  readonly index: number;
  /** An address that only this node answers. */
  readonly url: string;
  /** The server. */
  readonly server: DevServer;
  /** Kills the node and starts it again after so many milliseconds. */
  restart(downtime?: number): Promise<void>;
}

/**
 * Servers, clients and a network in one process and in virtual time. Everything random comes from
 * the seed, so that a world does the same each time, on every runtime.
 */
export interface World extends AsyncDisposable {
  /** An address that any node answers, chosen at random for each connection. */
  readonly url: string;
  /** The milliseconds since the world began. */
  readonly now: number;
  /** How many timers have fired so far. */
  readonly steps: number;
  /** The servers. */
  readonly nodes: readonly WorldNode[];
  /** Every connection so far. */
  readonly connections: readonly WorldConnection[];
  /** The store that the nodes share. */
  readonly store: Store;
  /** The frames, and what else was recorded, in order. */
  readonly trace: readonly TraceEntry[];
  /** Decides what happens to each frame. */
  networkFaults: FaultPolicy;
  /** Kills all nodes and starts them again, on this store or on an empty one. */
  start(store?: Store): Promise<void>;
  /** Returns the clock of a client by its name, or creates it. */
  clock(name: string): WorldClock;
  /** Returns the options that place a client over HTTP in this world. */
  httpOptions(name: string): HttpOptions;
  /** Returns the options that place a client in this world. */
  clientOptions(name: string): DispatchOptions;
  /** Creates a client, which connects with its first call. */
  client(name?: string, options?: Partial<DispatchOptions>): Dispatch;
  /** Adds a line to the trace. */
  record(who: string, what: string, frame?: string): void;
  /** Returns the trace as text, a line for each entry. */
  traceLines(): string[];
  /** Returns a hash of the trace: equal for two worlds in which the same happened. */
  hash(): string;
  /**
   * Lets time pass until a promise settles.
   * @param limit The most milliseconds that may pass; by default a day.
   * @throws {WorldError} If it does not settle in that time.
   */
  run<T>(promise: PromiseLike<T>, limit?: number): Promise<T>;
  /** Lets time pass. */
  advance(ms: number): Promise<void>;
  /** Closes the clients, then the nodes. */
  close(): Promise<void>;
}
