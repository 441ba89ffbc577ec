import type { Clock } from "../runtime/clock.ts";
import { Broker } from "./wire/broker.ts";
import { CanceledError, type Core } from "./engine/server_state.ts";
import type { CronEngine } from "./engine/cron_engine.ts";
import { Stamps } from "./go/time.ts";
import { Ids } from "./engine/ids.ts";
import { JobEngine } from "./engine/job_engine.ts";
import type { MemoryStore } from "./engine/memory_store.ts";
import type { Engines } from "./wire/methods.ts";
import { Registry } from "./engine/registry.ts";
import { Timers } from "./engine/timers.ts";
import { WorkflowEngine } from "./engine/workflow_engine.ts";
import { exponentialBackoff } from "./backoff.ts";
import type { CronDefinition, JobDefinition, WorkflowDefinition } from "./define.ts";
import type { DevServerOptions, Observer, Workload } from "./options.ts";
import type { QuirkName } from "./quirks.ts";

/** What of a server outlives its restarts. */
export interface NodeOptions {
  options: DevServerOptions;
  store: MemoryStore;
  clock: Clock;
  random: () => number;
  quirks: Readonly<Record<QuirkName, boolean>>;
  observers: ReadonlySet<Observer>;
}

/** One life of a server, from its start to its end or its restart. */
export class Node implements Engines {
  readonly core: Core;
  readonly jobs: JobEngine;
  readonly workflows: WorkflowEngine;
  readonly signal: AbortSignal;
  #crons: CronEngine | undefined;
  readonly #life = new AbortController();
  #connections = 0;

  constructor({ options, store, clock, random, quirks, observers }: NodeOptions) {
    this.signal = this.#life.signal;
    this.core = {
      store,
      quirks,
      observers,
      random,
      registry: new Registry({ jobs: [], workflows: [], crons: [] }),
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
    this.workflows = new WorkflowEngine(this.core);
    this.jobs = new JobEngine(this.core);
  }

  /** Open connections. */
  connections(): number {
    return this.#connections;
  }

  /** Counts a connection; gives what counts it out. */
  connected(): () => void {
    this.#connections++;
    return () => this.#connections--;
  }

  /**
   * Has this workload from now on.
   * @throws {ScheduleError} When a cron entry's schedule is none; then nothing has changed.
   */
  async load(workload: Workload): Promise<void> {
    const { crons = [] } = workload;
    if (crons.length > 0 && !this.#crons) {
      const { CronEngine } = await import("./engine/cron_engine.ts");
      this.#crons ??= new CronEngine(this.core, this.jobs);
    }
    await this.#crons?.run(crons);
    this.core.registry.replace(definitionsOf(workload));
    this.jobs.configure({
      queues: queuesOf(workload),
      concurrency: workload.concurrency ?? 10,
      backoff: workload.backoff ?? exponentialBackoff({ random: this.core.random }),
    });
  }

  /** Takes up the runs of the store that nobody runs. */
  resume(): void {
    this.workflows.resumeAll(this.signal);
  }

  /** Ends: nothing it has begun leaves a trace from now on. */
  close(): void {
    const { core } = this;
    core.closed = true;
    core.timers.close();
    core.store.unwaitAll(core);
    this.jobs.close();
    this.workflows.close();
    this.#life.abort(new CanceledError());
  }
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
