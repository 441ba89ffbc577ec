import type { Clock } from "../runtime/clock.ts";
import type { CronDefinition, JobDefinition, WorkflowDefinition } from "./define.ts";
import type { DispatchEvent } from "../protocol/mod.ts";
import type { WorkflowEvent } from "./context.ts";
import type { Duration } from "./duration.ts";
import type { Fault, Faults } from "./faults/fault.ts";
import type { QuirkOptions } from "./quirks.ts";
import type { Store } from "./store.ts";
import type { TokenOptions } from "./tokens.ts";

/** What a server is made of: its definitions and who may call it. */
export interface Workload {
  /** The jobs its workers know. */
  jobs?: readonly JobDefinition[];
  /** The workflows it knows. */
  workflows?: readonly WorkflowDefinition[];
  /** The cron entries it fires. */
  crons?: readonly CronDefinition[];
  /**
   * The tokens it takes.
   * @default {DEFAULT_TOKENS}
   */
  tokens?: Readonly<Record<string, TokenOptions>>;
  /**
   * The queues its workers read; a number is how many of a queue's jobs may run at a time. Without
   * them it reads `default` and those that its definitions name.
   */
  queues?: readonly string[] | Readonly<Record<string, number>>;
  /**
   * How many jobs run at a time.
   * @default {10}
   */
  concurrency?: number;
  /**
   * How long after its nth failure a job is tried again, in milliseconds.
   * @default {exponentialBackoff()}
   */
  backoff?: (attempt: number) => number;
}

/** Settings of {@linkcode createDevServer}. */
export interface DevServerOptions extends Workload {
  /**
   * The port to listen on; 0 is any that is free.
   * @default {0}
   */
  port?: number;
  /**
   * The address to listen on.
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * The path of the WebSocket endpoint; `/rpc` and `/sse` are below it.
   * @default {"/dwp"}
   */
  path?: string;
  /**
   * Where it keeps things; servers with the same store are one cluster.
   * @default {createStore()}
   */
  store?: Store;
  /**
   * Which of today's servers' oddities it has.
   * @default {"default"}
   */
  quirks?: QuirkOptions;
  /**
   * Where time comes from; `"virtual"` is a clock of its own that skips what nobody waits for.
   * @default {systemClock}
   */
  clock?: Clock | "virtual";
  /**
   * Where chance comes from: at least 0, less than 1.
   * @default {Math.random}
   */
  random?: () => number;
  /** Takes the lines that handlers log. */
  log?: (line: string) => void;
  /** What goes wrong, and when. */
  faults?: readonly Fault[];
  /**
   * What the chance in faults comes from: with the same number the same goes wrong.
   * @default {a random one; `faults.seed` says which}
   */
  seed?: number;
  /**
   * Whether to listen on a port. Without, only {@linkcode DevServer.webSocket} reaches it.
   * @default {true}
   */
  listen?: boolean;
}

/** Who is told what happens in a server, in the moment it does. */
export interface Observer {
  /** A job or run has moved on: what subscribers are sent, whether anybody subscribes or not. */
  event?(event: DispatchEvent): void;
  /** A job was marked cancelled, of which subscribers are told nothing. */
  cancelled?(job_id: string): void;
  /** A client has published an event for workflows to wait for. */
  published?(event: WorkflowEvent): void;
}

/** A running server. */
export interface DevServer extends AsyncDisposable {
  /** The WebSocket endpoint, like `ws://127.0.0.1:49152/dwp`. */
  readonly url: string;
  /** The port it listens on; 0 when it listens on none. */
  readonly port: number;
  /** What it keeps. */
  readonly store: Store;
  /** Where its time comes from. */
  readonly clock: Clock;
  /**
   * Moves its virtual clock on.
   * @throws {ClockError} When its clock is not virtual.
   */
  advance(duration: Duration): Promise<void>;
  /**
   * Has another workload from now on; work in progress goes on with what it began with.
   * @throws {ScheduleError} When a cron entry's schedule is none; then nothing has changed.
   */
  reload(workload: Workload): Promise<void>;
  /** What goes wrong, to be changed while it runs. */
  readonly faults: Faults;
  /**
   * Opens a connection inside the process, with no socket at all: a client's `webSocket` option.
   * It is a function of its own, so it can be handed on.
   */
  readonly webSocket: (url?: string) => WebSocket;
  /** Tells somebody what happens, restarts or not; gives what ends that. */
  observe(observer: Observer): () => void;
  /**
   * Stops as when its process is killed, and starts anew on the same port after a while. What the
   * store keeps is there again; runs go on where they were.
   */
  restart(downtime?: Duration): Promise<void>;
  /** Stops at once: connections drop without a close frame, as when a process is killed. */
  close(): Promise<void>;
}
