import type { DispatchEvent } from "../protocol/mod.ts";
import type { Clock } from "../runtime/clock.ts";
import type { WorkflowEvent } from "./context.ts";
import type { JobDefinition, WorkflowDefinition } from "./define.ts";
import type { CronDefinition } from "./define_cron.ts";
import type { Duration } from "./duration.ts";
import type { Fault, Faults } from "./faults/fault.ts";
import type { QuirkOptions } from "./quirks.ts";
import type { Store } from "./store.ts";
import type { TokenOptions } from "./tokens.ts";
import type { AroundWork } from "./work.ts";

/** The definitions that a server runs, and the tokens it accepts. */
export interface Workload {
  /** The jobs that the workers run. */
  jobs?: readonly JobDefinition[];
  /** The workflows that can be started. */
  workflows?: readonly WorkflowDefinition[];
  /** The cron entries that enqueue jobs. */
  crons?: readonly CronDefinition[];
  /**
   * The tokens that clients may use.
   * @default {DEFAULT_TOKENS}
   */
  tokens?: Readonly<Record<string, TokenOptions>>;
  /**
   * The queues that the workers read; a number limits how many jobs of a queue run at a time.
   * @default {"default", and the queues that the definitions name}
   */
  queues?: readonly string[] | Readonly<Record<string, number>>;
  /**
   * How many jobs run at a time.
   * @default {10}
   */
  concurrency?: number;
  /**
   * Returns how long to wait after the nth failure of a job, in milliseconds.
   * @default {exponentialBackoff()}
   */
  backoff?: (attempt: number) => number;
}

/** Settings of {@linkcode createDevServer}. */
export interface DevServerOptions extends Workload {
  /**
   * The port to listen on; 0 picks a free one.
   * @default {0}
   */
  port?: number;
  /**
   * The address to listen on.
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /**
   * The path of the WebSocket endpoint. `/rpc` and `/sse` are below it.
   * @default {"/dwp"}
   */
  path?: string;
  /**
   * The origins of pages that may connect, such as `"https://app.example.com"`, besides the pages
   * of this machine: those of loopback addresses and of the host that they connect to. Requests may
   * use the names of these origins as their host. `"*"` lets every page and host in.
   * @default {[]}
   */
  allowOrigins?: readonly string[];
  /**
   * The store for jobs, runs and events. Servers that share one form a cluster.
   * @default {createStore()}
   */
  store?: Store;
  /**
   * The quirks of real servers to imitate.
   * @default {"default"}
   */
  quirks?: QuirkOptions;
  /**
   * The clock; `"virtual"` creates one that skips the time that handlers sleep.
   * @default {systemClock}
   */
  clock?: Clock | "virtual";
  /**
   * Returns a random number, at least 0 and less than 1.
   * @default {Math.random}
   */
  random?: () => number;
  /** Receives the lines that handlers log. */
  log?: (line: string) => void;
  /** The faults to inject. */
  faults?: readonly Fault[];
  /** Called around each piece of work, to let it be late, fail, be repeated or be lost. */
  aroundWork?: AroundWork;
  /**
   * Seeds the random choices of faults; the same seed repeats them.
   * @default {a random number, which `faults.seed` returns}
   */
  seed?: number;
  /**
   * Whether to listen on a port. If not, clients connect with {@linkcode DevServer.webSocket}.
   * @default {true}
   */
  listen?: boolean;
}

/** A request as the server handles it. */
export interface ServedRequest {
  /** The session id of the connection; absent over RPC. */
  session_id?: string;
  /** The method. */
  method: string;
  /** The data as JSON text; absent if the request has none. */
  data?: string;
}

/** Callbacks for what happens in a server, called as it happens. */
export interface Observer {
  /** Called with each request that its token allows, when the server begins to handle it. */
  request?(request: ServedRequest): void;
  /** Called with every event about a job, run or cron entry, even if nobody subscribes to it. */
  event?(event: DispatchEvent): void;
  /** Called when a job is marked cancelled, for which servers publish no event. */
  cancelled?(job_id: string): void;
  /** Called when a client publishes an event for workflows. */
  published?(event: WorkflowEvent): void;
}

/** A running server. */
export interface DevServer extends AsyncDisposable {
  /** The address of the WebSocket endpoint, such as `ws://127.0.0.1:49152/dwp`. */
  readonly url: string;
  /** The port, or 0 if the server does not listen. */
  readonly port: number;
  /** The jobs, runs and events. */
  readonly store: Store;
  /** The clock. */
  readonly clock: Clock;
  /**
   * Advances the virtual clock.
   * @throws {ClockError} If the clock is not virtual.
   */
  advance(duration: Duration): Promise<void>;
  /**
   * Replaces the workload. Work in progress continues with the definitions it began with.
   * @throws {ScheduleError} If the schedule of a cron entry is not valid; nothing changes then.
   */
  reload(workload: Workload): Promise<void>;
  /** The faults, which can be changed while the server runs. */
  readonly faults: Faults;
  /**
   * Opens an in-process connection without a socket. Pass it to a client as its `webSocket` option;
   * it does not need to be bound.
   */
  readonly webSocket: (url?: string) => WebSocket;
  /**
   * Handles an HTTP request to one of the endpoints, without a socket. Pass it to a client as its
   * `fetch` option; it does not need to be bound.
   */
  readonly fetch: (input: Request | URL | string, init?: RequestInit) => Promise<Response>;
  /** Adds an observer, which stays across restarts; returns a function that removes it. */
  observe(observer: Observer): () => void;
  /**
   * Stops as if the process was killed, and starts again on the same port after `downtime`. The
   * store is kept, so runs resume.
   */
  restart(downtime?: Duration): Promise<void>;
  /** Stops as if the process was killed: connections drop without a close frame. */
  close(): Promise<void>;
}
