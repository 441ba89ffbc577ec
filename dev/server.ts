import { type Clock, systemClock } from "../runtime/clock.ts";
import { realClock } from "../runtime/real_timers.ts";
import { ServerLife, type ServerLifeOptions } from "./_server_life.ts";
import { type Duration, parseDuration } from "./duration.ts";
import { MemoryStore } from "./engine/memory_store.ts";
import { Timers } from "./engine/timers.ts";
import type { Faults } from "./faults/fault.ts";
import { FaultPlan } from "./faults/fault_plan.ts";
import { AccessPolicy } from "./listen/access.ts";
import { listen } from "./listen/listen.ts";
import { MemorySocket } from "./listen/memory_socket.ts";
import type { Listener, ServerSocket, SocketHandler } from "./listen/socket.ts";
import { checkOptions } from "./options_error.ts";
import type { DevServer, DevServerOptions, Observer, Workload } from "./options.ts";
import { resolveQuirks } from "./quirks.ts";
import {
  checkServerOptions,
  OBSERVER_RULES,
  SERVER_RULES,
  WORKLOAD_RULES,
} from "./server_options.ts";
import type { Store } from "./store.ts";
import { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";
import type { VirtualClock } from "./virtual_clock.ts";
import { Session } from "./wire/session.ts";

/**
 * Thrown by {@linkcode DevServer.advance} when the server's clock is not virtual.
 *
 * @example
 * ```ts
 * import { ClockError, createDevServer } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * await using server = await createDevServer();
 * await assert.rejects(server.advance("1h"), ClockError);
 * ```
 */
export class ClockError extends Error {
  /** Always `"not_virtual"`. */
  readonly code = "not_virtual";

  /** Creates the error. */
  constructor() {
    super('Cannot advance clock: it is not virtual; start the server with { clock: "virtual" }');
    this.name = "ClockError";
  }
}

/**
 * Starts a server in this process. It speaks the wire protocol as a real server does, and keeps its
 * data in memory.
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
 * @throws {OptionsError} If an option is not valid.
 * @throws {ListenError} If it cannot listen; a {@linkcode PortTakenError} if the port is taken.
 * @throws {ScheduleError} If the schedule of a cron entry is not valid.
 */
export async function createDevServer(options: DevServerOptions = {}): Promise<DevServer> {
  checkServerOptions("start dev server", options, SERVER_RULES);
  const { clock = systemClock } = options;
  const server = new EmbeddedServer(
    options,
    clock === "virtual" ? (await import("./virtual_clock.ts")).createVirtualClock() : clock,
    // Sockets in memory follow the server's clock, even a virtual one.
    options.listen === false && typeof clock !== "string" ? clock : realClock,
  );
  await server.start();
  return server;
}

/** The path of the admin API on a real server. */
const ADMIN_PATH = "/dispatch/v1";

/** Returns the paths of the admin API: the real one, and what a client derives from the endpoint's. */
function adminPaths(path: string): string[] {
  return [...new Set([ADMIN_PATH, path.replace(/(?<=\/)dwp$/, ADMIN_PATH.slice(1))])]
    .filter((base) => base.endsWith(ADMIN_PATH));
}

class EmbeddedServer implements DevServer {
  readonly store: Store;
  readonly clock: Clock;
  readonly faults: Faults;
  readonly #options: DevServerOptions;
  readonly #lifeOptions: ServerLifeOptions;
  readonly #access: AccessPolicy;
  readonly #plan: FaultPlan;
  readonly #timers: Timers;
  readonly #observers = new Set<Observer>();
  readonly #memorySockets = new Set<MemorySocket>();
  #workload: Workload;
  #life: ServerLife | undefined;
  #listener: Listener | undefined;
  #port: number;
  #restarting: Promise<void> | undefined;
  readonly #closed = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;
  /** Created on the first HTTP request, because loading Hono would slow down every start. */
  #app: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;

  constructor(options: DevServerOptions, clock: Clock, socketClock: Clock) {
    const { random = Math.random } = options;
    this.#options = options;
    this.#workload = options;
    this.#port = options.port ?? 0;
    this.clock = clock;
    this.#timers = new Timers(clock);
    const store = (options.store ?? new MemoryStore()) as MemoryStore;
    this.store = store;
    this.#lifeOptions = {
      options,
      store,
      clock,
      socketClock,
      random,
      quirks: resolveQuirks(options.quirks),
      observers: this.#observers,
    };
    this.#access = new AccessPolicy({
      hostname: this.#hostname,
      allowOrigins: options.allowOrigins ?? [],
      openPaths: this.#lifeOptions.quirks["admin-open"] ? adminPaths(this.#path) : [],
      strict: this.#lifeOptions.quirks["origin-check"],
      onRefused: (line) => options.log?.(line),
    });
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
    const hostname = this.#hostname;
    const host = hostname.includes(":") ? `[${hostname}]` : hostname;
    return `ws://${host}:${this.#port}${this.#path}`;
  }

  get #hostname(): string {
    return this.#options.hostname ?? "127.0.0.1";
  }

  get #path(): string {
    return this.#options.path ?? "/dwp";
  }

  async start(): Promise<void> {
    const life = new ServerLife(this.#lifeOptions);
    try {
      await life.load(this.#workload);
      if (this.#options.listen !== false) {
        this.#listener = await listen({
          hostname: this.#hostname,
          port: this.#port,
          path: this.#path,
          clock: this.#lifeOptions.socketClock,
          fetch: (request) => this.#fetch(request),
          refuses: (request) => this.#access.rejection(request),
          refusesUpgrade: () =>
            this.#plan.refusesNext() ? { status: 503, text: "unavailable" } : undefined,
          open: (socket) => this.#open(socket),
        });
        this.#port = this.#listener.port;
      }
    } catch (error) {
      life.close();
      throw error;
    }
    this.#life = life;
    life.resumeRuns();
  }

  readonly webSocket = (url: string = this.url): WebSocket => {
    const socket: MemorySocket = new MemorySocket(
      url,
      (end) => this.#life && !this.#plan.refusesNext() ? this.#open(end) : undefined,
      () => this.#memorySockets.delete(socket),
    );
    this.#memorySockets.add(socket);
    return socket as unknown as WebSocket;
  };

  readonly fetch = (input: Request | URL | string, init?: RequestInit): Promise<Response> =>
    this.#fetch(new Request(input, init));

  advance(duration: Duration): Promise<void> {
    if ("advance" in this.clock) return (this.clock as VirtualClock).advance(duration);
    return Promise.reject(new ClockError());
  }

  async reload(workload: Workload): Promise<void> {
    checkServerOptions("reload workload", workload, WORKLOAD_RULES);
    await this.#life?.load(workload);
    this.#workload = workload;
  }

  observe(observer: Observer): () => void {
    checkOptions("observe dev server", observer, OBSERVER_RULES);
    this.#observers.add(observer);
    return () => this.#observers.delete(observer);
  }

  restart(downtime: Duration = 0): Promise<void> {
    try {
      parseDuration(downtime);
    } catch (error) {
      return Promise.reject(error);
    }
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
    const listener = this.#listener;
    this.#life?.close();
    this.#life = undefined;
    this.#listener = undefined;
    this.#app = undefined;
    for (const socket of this.#memorySockets) socket.terminate();
    await listener?.close();
  }

  #open(socket: ServerSocket): SocketHandler {
    const life = this.#life!;
    const removeConnection = life.addConnection();
    const handler = this.#plan.wrap(socket, (faulty) => {
      return new Session(life, faulty, (token) => this.#authenticate(token));
    });
    const { clock } = life.state.timers;
    return {
      message: (data) => {
        clock.touch?.();
        handler.message(data);
      },
      closed: () => {
        removeConnection();
        handler.closed();
      },
    };
  }

  #authenticate(token: string): TokenOptions | undefined {
    const { tokens = DEFAULT_TOKENS } = this.#workload;
    return this.#plan.isExpired(token) || !Object.hasOwn(tokens, token) ? undefined : tokens[token];
  }

  async #fetch(request: Request): Promise<Response> {
    const life = this.#life;
    if (!life) return new Response(null, { status: 503 });
    this.#app ??= import("./wire/http.ts").then(({ createApp }) =>
      createApp({
        server: life,
        authenticate: (token) => this.#authenticate(token),
        path: this.#path,
        adminPaths: adminPaths(this.#path),
        faults: this.#plan,
      })
    );
    return await (await this.#app).fetch(request);
  }
}
