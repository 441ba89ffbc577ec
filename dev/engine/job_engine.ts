import { CanceledError, type Core, emitJob, NEVER } from "./server_state.ts";
import { wholeSeconds } from "../go/time.ts";
import { decodeInput, errorText } from "./handler_input.ts";
import { JobRun } from "./_job_attempt.ts";
import type { JobRow, Tenant } from "./store_rows.ts";
import { nextTurn } from "../_turn.ts";
import type { JobDefinition } from "../define.ts";
import { parseDuration } from "../duration.ts";

const TIMEOUT = 300_000;
const POLL = 1000;
const LONGEST_POLL = 30_000;
const HEARTBEAT = 10_000;
const STALE = 30_000;
/** How many jobs are begun before the event loop gets its turn. */
const BATCH = 64;

/** How a server works on jobs. */
export interface JobEngineOptions {
  /** The queues it reads, each with how many of its jobs may run at a time. */
  queues: ReadonlyMap<string, number>;
  /** How many jobs run at a time. */
  concurrency: number;
  /** How long after its nth failure a job is tried again, in milliseconds. */
  backoff: (attempt: number) => number;
}

/** The workers: claims jobs, runs their handlers, retries, buries. */
export class JobEngine {
  readonly #core: Core;
  #options: JobEngineOptions = { queues: new Map(), concurrency: 0, backoff: () => 0 };
  readonly #active = new Map<JobRow, JobRun>();
  readonly #activeIn = new Map<string, number>();
  readonly #began: number;
  readonly #forgetWork: () => void;
  #awake = false;
  #begun = 0;
  #interval = POLL;
  #forgetNextLook: () => void = () => {};
  #reaping = false;

  constructor(core: Core) {
    this.#core = core;
    this.#began = core.timers.clock.now();
    this.#forgetWork = core.store.onWork(() => this.#wake());
    this.#wake();
  }

  /** Puts a job into its queue. */
  enqueue(
    tenant: Tenant,
    name: string,
    payload: string | undefined,
    options: { queue?: string; priority?: number; maxRetries?: number } = {},
  ): JobRow {
    const { core, now } = this.#present();
    const own = core.quirks["definition-options-ignored"]
      ? {}
      : core.registry.jobs.get(name)?.options ?? {};
    const at = core.stamps.now();
    const job: JobRow = {
      id: core.ids.next("job"),
      name,
      queue: options.queue || own.queue || "default",
      payload,
      state: "pending",
      priority: Math.max(0, options.priority || own.priority || 0),
      maxRetries: options.maxRetries ?? own.maxRetries ?? 3,
      retryCount: 0,
      lastError: "",
      app: tenant.app,
      org: tenant.org,
      runAt: at,
      runAtMs: now,
      startedMs: 0,
      timeoutMs: own.timeout === undefined ? TIMEOUT : parseDuration(own.timeout),
      createdAt: at,
      updatedAt: at,
      ticket: 0,
    };
    core.store.queue(job, now);
    emitJob(core, "job.enqueued", job);
    return job;
  }

  /** Marks a job cancelled. Gives whether it could be. */
  cancel(job: JobRow): boolean {
    const { core } = this.#present();
    if (!core.quirks["cancel-overwrites"]) {
      if (job.state === "completed" || job.state === "failed" || job.state === "cancelled") {
        return false;
      }
      this.#active.get(job)?.abort(new CanceledError());
    }
    job.state = "cancelled";
    job.updatedAt = core.stamps.now();
    core.store.orphans.delete(job);
    for (const { cancelled } of core.observers) cancelled?.(job.id);
    return true;
  }

  /** When the worker of a running job last gave a sign of life. */
  heartbeatOf(job: JobRow): string | undefined {
    if (!this.#active.has(job)) return undefined;
    // A real server's pool beats for all its jobs at once, so up to this long after a job's start.
    const beats = Math.floor((this.#present().now - job.startedMs) / HEARTBEAT);
    return beats > 0 ? new Date(job.startedMs + beats * HEARTBEAT).toISOString() : undefined;
  }

  /** Works like this from now on; until it is told how, it does nothing. */
  configure(options: JobEngineOptions): void {
    this.#options = options;
    this.#wake();
  }

  /** Stops. What is running is left as it is, for whoever shares the store. */
  close(): void {
    this.#forgetWork();
    for (const [job, run] of this.#active) {
      run.abort(new CanceledError());
      if (job.state === "running") this.#core.store.orphan(job);
    }
  }

  #present(): { core: Core; now: number } {
    return { core: this.#core, now: this.#core.timers.clock.now() };
  }

  /** Looks at the queues soon, behind whatever is going on now. */
  #wake(): void {
    this.#interval = POLL;
    if (this.#awake || this.#core.closed) return;
    this.#awake = true;
    const look = () => {
      this.#awake = false;
      this.#look();
    };
    if (this.#begun < BATCH) return queueMicrotask(look);
    this.#begun = 0;
    nextTurn(look);
  }

  #look(): void {
    const { core, now } = this.#present();
    if (core.closed) return;
    this.#forgetNextLook();
    this.#reap();
    while (this.#active.size < this.#options.concurrency) {
      if (this.#begun >= BATCH) return this.#wake();
      const job = core.store.claim(this.#openQueues(), now);
      if (!job) return this.#lookLater(now);
      this.#interval = POLL;
      this.#begin(job);
    }
  }

  *#openQueues(): Iterable<string> {
    for (const [queue, most] of this.#options.queues) {
      if ((this.#activeIn.get(queue) ?? 0) < most) yield queue;
    }
  }

  #lookLater(now: number): void {
    const { core } = this.#present();
    const next = core.store.nextRunAt(this.#options.queues.keys());
    if (next === undefined) return;
    let wait = next - now;
    if (core.quirks["slow-polling"]) {
      this.#interval = Math.min(this.#interval * 2, LONGEST_POLL);
      wait = this.#interval;
    }
    this.#forgetNextLook = core.timers.set(() => this.#look(), wait);
  }

  #begin(job: JobRow): void {
    const { core, now } = this.#present();
    this.#begun++;
    job.state = "running";
    job.startedAt = core.stamps.now();
    job.startedMs = now;
    emitJob(core, "job.started", job);
    const definition = core.registry.jobs.get(job.name);
    if (!definition) {
      if (core.quirks["unknown-job-hangs"]) return core.store.orphan(job);
      job.retryCount = job.maxRetries;
      return this.#fail(job, new Error(`no handler registered for job "${job.name}"`));
    }
    this.#activeIn.set(job.queue, (this.#activeIn.get(job.queue) ?? 0) + 1);
    const run = new JobRun(core, job);
    this.#active.set(job, run);
    void this.#work(job, definition, run);
  }

  async #work(job: JobRow, definition: JobDefinition, run: JobRun): Promise<void> {
    const { core } = this.#present();
    let failure: { error: unknown } | undefined;
    try {
      const payload = await this.#payloadOf(job, definition);
      await definition.handler(payload as never, run);
    } catch (error) {
      failure = { error };
    }
    run.end();
    if (core.closed) return NEVER;
    this.#active.delete(job);
    this.#activeIn.set(job.queue, this.#activeIn.get(job.queue)! - 1);
    const stopped = job.state === "cancelled" && !core.quirks["cancel-overwrites"];
    if (!stopped) {
      if (failure) this.#fail(job, failure.error);
      else this.#complete(job);
    }
    this.#wake();
  }

  async #payloadOf(job: JobRow, definition: JobDefinition): Promise<unknown> {
    try {
      return await decodeInput(job.payload, definition.options.payload);
    } catch (cause) {
      const message = `unmarshal payload for job "${job.name}": ${errorText(cause)}`;
      throw new Error(message, { cause });
    }
  }

  #complete(job: JobRow): void {
    const { core, now } = this.#present();
    job.state = "completed";
    job.completedAt = job.updatedAt = core.stamps.now();
    emitJob(core, "job.completed", job, { elapsed_ms: Math.floor(now - job.startedMs) });
  }

  #fail(job: JobRow, reason: unknown): void {
    const { core, now } = this.#present();
    const error = errorText(reason);
    job.retryCount++;
    job.lastError = error;
    job.updatedAt = core.stamps.now();
    if (job.retryCount <= job.maxRetries) {
      job.state = "retrying";
      job.runAtMs = now + this.#options.backoff(job.retryCount);
      job.runAt = new Date(job.runAtMs).toISOString();
      emitJob(core, "job.retrying", job, {
        attempt: job.retryCount,
        next_run_at: wholeSeconds(job.runAtMs),
      });
      return core.store.queue(job, now);
    }
    job.state = "failed";
    const id = core.ids.next("dlq");
    const { app, org, updatedAt: failedAt } = job;
    core.store.deadLetterRows.set(id, { id, job, error, app, org, failedAt });
    emitJob(core, "job.failed", job, { error });
    emitJob(core, "job.dlq", job, { error });
  }

  /** Every 30 seconds, jobs that nobody has worked on for as long are queued again. */
  #reap(): void {
    const { core, now } = this.#present();
    if (this.#reaping || core.store.orphans.size === 0) return;
    this.#reaping = true;
    const sinceTick = (now - this.#began) % STALE;
    core.timers.set(
      () => {
        this.#reaping = false;
        this.#reapNow();
        this.#reap();
      },
      STALE - sinceTick,
      "background",
    );
  }

  #reapNow(): void {
    const { core, now } = this.#present();
    for (const job of core.store.orphans) {
      if (job.state !== "running") core.store.orphans.delete(job);
      else if (job.startedMs < now - STALE) {
        core.store.orphans.delete(job);
        job.state = "pending";
        job.runAtMs = now;
        job.runAt = job.updatedAt = core.stamps.now();
        job.startedAt = undefined;
        core.store.queue(job, now);
      }
    }
  }
}
