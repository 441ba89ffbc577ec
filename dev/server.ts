import { type Clock, systemClock } from "../runtime/clock.ts";
import { FaultPlan } from "./faults/fault_plan.ts";
import { listen } from "./listen/listen.ts";
import { MemorySocket } from "./listen/memory_socket.ts";
import { MemoryStore } from "./engine/memory_store.ts";
import { Node, type NodeOptions } from "./_server_life.ts";
import { Session } from "./wire/session.ts";
import type { Listening, ListenOptions, ServerSocket, SocketHandler } from "./listen/socket.ts";
import { Timers } from "./engine/timers.ts";
import type { Duration } from "./duration.ts";
import { parseDuration } from "./duration.ts";
import type { Faults } from "./faults/fault.ts";
import type { DevServer, DevServerOptions, Observer, Workload } from "./options.ts";
import { resolveQuirks } from "./quirks.ts";
import type { Store } from "./store.ts";
import { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";
import type { VirtualClock } from "./virtual_clock.ts";

/** Thrown when a clock is to be moved that is not virtual. */
export class ClockError extends Error {
  /** Always `"not_virtual"`. */
  readonly code = "not_virtual";

  /** Says how to get one that is. */
  constructor() {
    super('Cannot advance clock: it is not virtual, start the server with { clock: "virtual" }');
    this.name = "ClockError";
  }
}

/**
 * Starts a server in this process. It speaks the wire protocol as a real one does, and keeps nothing
 * beyond the process.
 *
 * @example
 * ```ts
 * import { createDevServer, defineJob } from "@dispatch/sdk/dev";
 *
 * await using server = await createDevServer({
 *   jobs: [defineJob("hello", (name: string, { log }) => log(`hello ${name}`))],
 * });
 * server.url; // ws://127.0.0.1:49152/dwp
 * ```
 *
 * @throws {PortTakenError} When the port is taken.
 * @throws {ScheduleError} When a cron entry's schedule is none.
 */
export async function createDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  const { clock = systemClock } = options;
  const server = new EmbeddedServer(
    options,
    clock === "virtual" ? (await import("./virtual_clock.ts")).createVirtualClock() : clock,
  );
  await server.start();
  return server;
}

class EmbeddedServer implements DevServer {
  readonly store: Store;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly #options: DevServerOptions;
  readonly #nodeOptions: NodeOptions;
  readonly #plan: FaultPlan;
  readonly #timers: Timers;
  readonly #observers = new Set<Observer>();
  readonly #memorySockets = new Set<MemorySocket>();
  #workload: Workload;
  #node: Node | undefined;
  #listening: Listening | undefined;
  #port: number;
  #restarting: Promise<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;
  // Only RPC, SSE and faults need it, and loading it costs a command-line tool's start.
  #app: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;

  constructor(options: DevServerOptions, clock: Clock) {
    const { random = Math.random } = options;
    this.#options = options;
    this.#workload = options;
    this.#port = options.port ?? 0;
    this.clock = clock;
    this.#timers = new Timers(this.clock);
    const store = (options.store ?? new MemoryStore()) as MemoryStore;
    this.store = store;
    const quirks = resolveQuirks(options.quirks);
    this.#nodeOptions = {
      options,
      store,
      clock: this.clock,
      random,
      quirks,
      observers: this.#observers,
    };
    this.#plan = new FaultPlan({
      seed: options.seed ?? Math.floor(random() * 2 ** 32),
      faults: options.faults ?? [],
      timers: this.#timers,
      restart: (ms) => this.restart(ms),
    });
    this.faults = this.#plan;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    const { hostname = "127.0.0.1" } = this.#options;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return `ws://${host}:${this.#port}${this.#path}`;
  }

  get #path(): string {
    return this.#options.path ?? "/dwp";
  }

  async start(): Promise<void> {
    const node = new Node(this.#nodeOptions);
    try {
      await node.load(this.#workload);
      if (this.#options.listen !== false) {
        this.#listening = await listen({
          hostname: this.#options.hostname ?? "127.0.0.1",
          port: this.#port,
          path: this.#path,
          fetch: (request) => this.#fetch(request),
          refuses: this.#refuses,
          open: (socket) => this.#open(socket),
        });
        this.#port = this.#listening.port;
      }
    } catch (error) {
      node.close();
      throw error;
    }
    this.#node = node;
    node.resume();
  }

  readonly webSocket = (url: string = this.url): WebSocket => {
    const socket: MemorySocket = new MemorySocket(
      url,
      (end) => this.#node && !this.#plan.refusesNext() ? this.#open(end) : undefined,
      () => this.#memorySockets.delete(socket),
    );
    this.#memorySockets.add(socket);
    return socket as unknown as WebSocket;
  };

  advance(duration: Duration): Promise<void> {
    if ("advance" in this.clock) return (this.clock as VirtualClock).advance(duration);
    return Promise.reject(new ClockError());
  }

  async reload(workload: Workload): Promise<void> {
    await this.#node?.load(workload);
    this.#workload = workload;
  }

  observe(observer: Observer): () => void {
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  restart(downtime: Duration = 0): Promise<void> {
    if (this.#closing) return this.#closing;
    return this.#restarting ??= (async () => {
      await this.#stop();
      await Promise.race([this.#timers.sleep(parseDuration(downtime)), this.#closed.promise]);
      if (!this.#closing) await this.start();
    })().finally(() => this.#restarting = undefined);
  }

  close(): Promise<void> {
    return this.#closing ??= (async () => {
      this.#timers.close();
      this.#closed.resolve();
      await this.#stop();
    })();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #stop(): Promise<void> {
    const listening = this.#listening;
    this.#node?.close();
    this.#node = undefined;
    this.#listening = undefined;
    this.#app = undefined;
    for (const socket of this.#memorySockets) socket.terminate();
    await listening?.close();
  }

  #open(socket: ServerSocket): SocketHandler {
    const node = this.#node!;
    const disconnected = node.connected();
    const handler = this.#plan.wrap(socket, (faulty) => {
      return new Session(node, faulty, (token) => this.#authenticate(token));
    });
    const { clock } = node.core.timers;
    return {
      message: (data) => {
        clock.touch?.();
        handler.message(data);
      },
      closed: () => {
        disconnected();
        handler.closed();
      },
    };
  }

  #authenticate(token: string): TokenOptions | undefined {
    const { tokens = DEFAULT_TOKENS } = this.#workload;
    return this.#plan.isExpired(token) || !Object.hasOwn(tokens, token) ? undefined : tokens[token];
  }

  readonly #refuses: ListenOptions["refuses"] = (origin, host) => {
    if (this.#plan.refusesNext()) return 503;
    const { quirks } = this.#nodeOptions;
    return quirks["origin-check"] && origin && !sameHost(origin, host) ? 403 : undefined;
  };

  async #fetch(request: Request): Promise<Response> {
    const node = this.#node;
    if (!node) return new Response(null, { status: 503 });
    this.#app ??= import("./wire/http.ts").then(({ createApp }) =>
      createApp({
        engines: node,
        authenticate: (token) => this.#authenticate(token),
        path: this.#path,
        faults: this.#plan,
      })
    );
    return await (await this.#app).fetch(request);
  }
}

function sameHost(origin: string, host: string | null | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
