import type { Clock } from "../runtime/clock.ts";
import { exponentialBackoff } from "./backoff.ts";
import type { CronEngine } from "./engine/cron_engine.ts";
import { CanceledError } from "./engine/errors.ts";
import { Ids } from "./engine/ids.ts";
import { JobEngine } from "./engine/job_engine.ts";
import type { MemoryStore } from "./engine/memory_store.ts";
import { queueLimits, Registry } from "./engine/registry.ts";
import type { ServerState } from "./engine/server_state.ts";
import { Timers } from "./engine/timers.ts";
import { Timestamps } from "./engine/timestamps.ts";
import { WorkflowEngine } from "./engine/workflow_engine.ts";
import type { DevServerOptions, Observer, Workload } from "./options.ts";
import type { QuirkName } from "./quirks.ts";
import { Broker } from "./wire/broker.ts";
import type { ServerParts } from "./wire/method.ts";

/** The parts of a server that its restarts keep. */
export interface ServerLifeOptions {
  options: DevServerOptions;
  store: MemoryStore;
  clock: Clock;
  /**
   * Real time, for waiting until a socket has sent its data: sockets do not follow a virtual clock.
   */
  socketClock: Clock;
  random: () => number;
  quirks: Readonly<Record<QuirkName, boolean>>;
  observers: ReadonlySet<Observer>;
}

/** One life of a server, from its start until it closes or restarts. */
export class ServerLife implements ServerParts {
  readonly state: ServerState;
  readonly broker: Broker;
  readonly jobs: JobEngine;
  readonly workflows: WorkflowEngine;
  readonly startMs: number;
  readonly socketClock: Clock;
  readonly #controller = new AbortController();
  #crons: CronEngine | undefined;
  #connections = 0;

  constructor(
    { options, store, clock, socketClock, random, quirks, observers }: ServerLifeOptions,
  ) {
    this.broker = new Broker({
      drop: quirks["silent-drops"],
      queues: !quirks["silent-queue-channel"],
      isolate: !quirks["tenants-open"],
    });
    this.state = {
      store,
      quirks,
      observers,
      random,
      registry: new Registry(),
      events: this.broker,
      timers: new Timers(clock),
      timestamps: new Timestamps(clock),
      ids: new Ids(clock, random),
      log: options.log ?? (() => {}),
      ...(options.aroundWork ? { aroundWork: options.aroundWork } : {}),
      closed: false,
    };
    this.startMs = clock.now();
    this.socketClock = socketClock;
    this.workflows = new WorkflowEngine(this.state);
    this.jobs = new JobEngine(this.state);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get connections(): number {
    return this.#connections;
  }

  /** Counts an open connection; returns a function that counts it as closed. */
  addConnection(): () => void {
    this.#connections++;
    return () => this.#connections--;
  }

  /**
   * Replaces the workload.
   * @throws {ScheduleError} If the schedule of a cron entry is not valid; nothing changes then.
   */
  async load(workload: Workload): Promise<void> {
    const { crons = [] } = workload;
    if (crons.length > 0 && !this.#crons) {
      const { CronEngine } = await import("./engine/cron_engine.ts");
      this.#crons ??= new CronEngine(this.state, this.jobs);
    }
    await this.#crons?.replace(crons);
    this.state.registry.replace(workload);
    this.jobs.configure({
      queues: queueLimits(workload),
      concurrency: workload.concurrency ?? 10,
      backoff: workload.backoff ?? exponentialBackoff({ random: this.state.random }),
    });
  }

  /** Resumes the runs that an earlier server of the store left behind. */
  resumeRuns(): void {
    this.workflows.resumeAll(this.signal);
  }

  /** Ends this life. Handlers that still run leave no trace. */
  close(): void {
    const { state } = this;
    state.closed = true;
    state.timers.close();
    state.store.removeWaitersOf(state);
    this.jobs.close();
    this.#crons?.close();
    this.workflows.close();
    this.#controller.abort(new CanceledError());
  }
}
