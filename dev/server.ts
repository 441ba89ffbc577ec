import { type Clock, systemClock } from "../runtime/clock.ts";
import { Broker } from "./_broker.ts";
import { CanceledError, type Core } from "./_core.ts";
import { Stamps } from "./_go_time.ts";
import { Ids } from "./_ids.ts";
import { CronEngine } from "./_cron_engine.ts";
import { JobEngine } from "./_job_engine.ts";
import { listen } from "./_listen.ts";
import { MemoryStore } from "./_memory_store.ts";
import type { Engines } from "./_methods.ts";
import { Registry } from "./_registry.ts";
import { Session } from "./_session.ts";
import { Timers } from "./_timers.ts";
import { WorkflowEngine } from "./_workflow_engine.ts";
import { exponentialBackoff } from "./backoff.ts";
import type { CronDefinition, JobDefinition, WorkflowDefinition } from "./define.ts";
import { type QuirkOptions, resolveQuirks } from "./quirks.ts";
import { createVirtualClock, type VirtualClock } from "./virtual_clock.ts";
import type { Duration } from "./duration.ts";
import type { Store } from "./store.ts";
import { DEFAULT_TOKENS, type TokenOptions } from "./tokens.ts";

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
}

/** A running server. */
export interface DevServer extends AsyncDisposable {
  /** The WebSocket endpoint, like `ws://127.0.0.1:49152/dwp`. */
  readonly url: string;
  /** The port it listens on. */
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
   * Knows other definitions from now on; work in progress goes on with what it began with.
   * @throws {ScheduleError} When a cron entry's schedule is none; then nothing has changed.
   */
  reload(workload: Pick<Workload, "jobs" | "workflows" | "crons">): Promise<void>;
  /** Stops at once: connections drop without a close frame, as when a process is killed. */
  close(): Promise<void>;
}

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
  const { random = Math.random, hostname = "127.0.0.1", path = "/dwp" } = options;
  const clock = options.clock === "virtual" ? createVirtualClock() : options.clock ?? systemClock;
  const quirks = resolveQuirks(options.quirks);
  const store = (options.store ?? new MemoryStore()) as MemoryStore;
  const core: Core = {
    store,
    quirks,
    random,
    registry: new Registry(definitionsOf(options)),
    broker: new Broker({
      drop: quirks["silent-drops"],
      queues: !quirks["silent-queue-channel"],
      isolate: !quirks["tenants-open"],
    }),
    timers: new Timers(clock),
    stamps: new Stamps(clock),
    ids: new Ids(clock, random),
    log: options.log ?? (() => {}),
    closed: false,
  };
  const life = new AbortController();
  let connections = 0;
  const engines: Engines = {
    core,
    jobs: new JobEngine(core, {
      queues: queuesOf(options),
      concurrency: options.concurrency ?? 10,
      backoff: options.backoff ?? exponentialBackoff({ random }),
    }),
    workflows: new WorkflowEngine(core),
    connections: () => connections,
    signal: life.signal,
  };
  const tokens = options.tokens ?? DEFAULT_TOKENS;
  const authenticate = (token: string) => Object.hasOwn(tokens, token) ? tokens[token] : undefined;
  const refuses = (origin?: string | null, host?: string | null) =>
    quirks["origin-check"] && origin != null && !sameHost(origin, host);
  // Only RPC and SSE need it, and loading it costs a command-line tool's start.
  let app: Promise<{ fetch(request: Request): Response | Promise<Response> }> | undefined;
  const fetch = async (request: Request): Promise<Response> => {
    app ??= import("./_http.ts").then(({ createApp }) =>
      createApp({ engines, authenticate, path, refuses })
    );
    return await (await app).fetch(request);
  };
  const crons = new CronEngine(core, engines.jobs);
  await crons.run(core.registry.crons.values());
  const listening = await listen({
    hostname,
    port: options.port ?? 0,
    path,
    fetch,
    refuses,
    open: (socket) => {
      connections++;
      const session = new Session(engines, socket, authenticate);
      return {
        message: (data) => {
          core.timers.clock.touch?.();
          session.message(data);
        },
        closed: () => {
          connections--;
          session.closed();
        },
      };
    },
  });
  engines.workflows.resumeAll(life.signal);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    closing ??= (async () => {
      core.closed = true;
      core.timers.close();
      store.unwaitAll(core);
      engines.jobs.close();
      engines.workflows.close();
      life.abort(new CanceledError());
      await listening.close();
    })();
  return {
    url: `ws://${hostname.includes(":") ? `[${hostname}]` : hostname}:${listening.port}${path}`,
    port: listening.port,
    store,
    clock,
    advance: (duration) => {
      if ("advance" in clock) return (clock as VirtualClock).advance(duration);
      return Promise.reject(new ClockError());
    },
    reload: async (workload) => {
      await crons.run(workload.crons ?? []);
      core.registry.replace(definitionsOf(workload));
      engines.jobs.read(queuesOf({ ...workload, queues: options.queues }));
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function definitionsOf(workload: Workload): {
  jobs: readonly JobDefinition[];
  workflows: readonly WorkflowDefinition[];
  crons: readonly CronDefinition[];
} {
  const { jobs = [], workflows = [], crons = [] } = workload;
  return { jobs, workflows, crons };
}

function queuesOf({ queues, jobs = [], crons = [] }: Workload): Map<string, number> {
  if (queues && !Array.isArray(queues)) {
    return new Map(Object.entries(queues as Record<string, number>));
  }
  const named = [...jobs, ...crons].flatMap(({ options }) => options.queue ?? []);
  const names = (queues as readonly string[] | undefined) ?? ["default", ...named];
  return new Map(names.map((name) => [name, Infinity]));
}

function sameHost(origin: string, host: string | null | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host;
}
