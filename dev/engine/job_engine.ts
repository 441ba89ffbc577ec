import { afterTask } from "../../runtime/real_timers.ts";
import type { JobDefinition } from "../define.ts";
import { parseDuration } from "../duration.ts";
import { CrashError } from "../work.ts";
import { emitJob } from "./_emit.ts";
import { JobAttempt } from "./_job_attempt.ts";
import { OrphanReaper, requeueOrphan } from "./_orphan_reaper.ts";
import { CanceledError, errorText } from "./errors.ts";
import { decodePayload } from "./handler_input.ts";
import { never, type ServerState } from "./server_state.ts";
import type { JobRow, Tenant } from "./store_rows.ts";
import { wholeSeconds } from "./timestamps.ts";

const DEFAULT_TIMEOUT_MS = 300_000;
const MIN_POLL_MS = 1000;
const MAX_POLL_MS = 30_000;
const HEARTBEAT_MS = 10_000;
/** The longest backoff, so that the time of the next attempt fits in a `Date`. */
const MAX_BACKOFF_MS = 1e15;
/** How many jobs start before the event loop gets a turn. */
const BATCH = 64;

/** Settings of a {@linkcode JobEngine}. */
export interface JobEngineOptions {
  /** The queues to work on, and how many jobs may run at a time in each. */
  queues: ReadonlyMap<string, number>;
  /** How many jobs may run at a time. */
  concurrency: number;
  /** Returns how long to wait after the nth failure of a job, in milliseconds. */
  backoff: (attempt: number) => number;
}

/**
 * The job workers: claim jobs, run their handlers, retry them, and move failures to the dead
 * letters.
 */
export class JobEngine {
  readonly #server: ServerState;
  #options: JobEngineOptions = { queues: new Map(), concurrency: 0, backoff: () => 0 };
  readonly #active = new Map<JobRow, JobAttempt>();
  /** How many jobs of each queue are running. */
  readonly #activeIn = new Map<string, number>();
  readonly #reaper: OrphanReaper;
  readonly #removeWorkListener: () => void;
  #isPollPending = false;
  /** How many jobs have started in this turn of the event loop. */
  #startedInTurn = 0;
  #pollInterval = MIN_POLL_MS;
  #clearPollTimer: () => void = () => {};

  constructor(server: ServerState) {
    this.#server = server;
    this.#reaper = new OrphanReaper(server);
    this.#removeWorkListener = server.store.onWork(() => this.#pollSoon());
    this.#pollSoon();
  }

  /** Creates a job and queues it. */
  enqueue(
    tenant: Tenant,
    name: string,
    payload: string | undefined,
    options: { queue?: string; priority?: number; maxRetries?: number } = {},
  ): JobRow {
    const server = this.#server;
    const defaults = server.quirks["definition-options-ignored"]
      ? {}
      : server.registry.job(name)?.options ?? {};
    const now = server.timestamps.now();
    const job: JobRow = {
      id: server.ids.next("job"),
      name,
      queue: options.queue || defaults.queue || "default",
      payload,
      state: "pending",
      priority: Math.max(0, options.priority || defaults.priority || 0),
      maxRetries: options.maxRetries ?? defaults.maxRetries ?? 3,
      retryCount: 0,
      lastError: "",
      app: tenant.app,
      org: tenant.org,
      runAt: now,
      runAtMs: this.#now,
      startedMs: 0,
      timeoutMs: defaults.timeout === undefined
        ? DEFAULT_TIMEOUT_MS
        : parseDuration(defaults.timeout),
      createdAt: now,
      updatedAt: now,
      ticket: 0,
    };
    server.store.enqueue(job, this.#now);
    emitJob(server, "job.enqueued", job);
    return job;
  }

  /** Marks a job cancelled; returns whether the job was in a state that allows it. */
  cancel(job: JobRow): boolean {
    const server = this.#server;
    if (!server.quirks["cancel-overwrites"]) {
      if (job.state === "completed" || job.state === "failed" || job.state === "cancelled") {
        return false;
      }
      this.#active.get(job)?.abort(new CanceledError());
    }
    job.state = "cancelled";
    job.updatedAt = server.timestamps.now();
    server.store.orphans.delete(job);
    for (const { cancelled } of server.observers) cancelled?.(job.id);
    return true;
  }

  /**
   * Queues a job without an event. On a server with slow polling its workers are not woken: they
   * find the job at their next poll.
   */
  requeue(job: JobRow): void {
    const { store, quirks } = this.#server;
    const now = this.#now;
    job.runAtMs = now;
    store.enqueue(job, now, !quirks["slow-polling"]);
    if (!quirks["slow-polling"]) return;
    this.#clearPollTimer();
    this.#pollLater(now, now);
  }

  /** Returns the time of a running job's last heartbeat. */
  heartbeatOf(job: JobRow): string | undefined {
    if (!this.#active.has(job)) return undefined;
    // On a Go server all jobs of a worker share one heartbeat timer; here each job has its own.
    const elapsed = this.#now - job.startedMs;
    if (elapsed < HEARTBEAT_MS) return undefined;
    return new Date(this.#server.timers.clock.now() - elapsed % HEARTBEAT_MS).toISOString();
  }

  /** Changes the settings. An engine that was never configured runs no jobs. */
  configure(options: JobEngineOptions): void {
    this.#options = options;
    this.#pollSoon();
  }

  /** Stops. Running jobs become orphans for the other servers of the store. */
  close(): void {
    this.#removeWorkListener();
    for (const [job, attempt] of this.#active) {
      attempt.abort(new CanceledError());
      if (job.state === "running") this.#server.store.addOrphan(job);
    }
  }

  get #now(): number {
    return this.#server.timers.now();
  }

  /**
   * Polls the queues after the current task, or on the next turn of the event loop if many jobs have
   * started in this one.
   */
  #pollSoon(): void {
    this.#pollInterval = MIN_POLL_MS;
    if (this.#isPollPending || this.#server.closed) return;
    this.#isPollPending = true;
    const poll = () => {
      this.#isPollPending = false;
      this.#poll();
    };
    if (this.#startedInTurn < BATCH) return afterTask(poll);
    this.#startedInTurn = 0;
    void this.#server.timers.yield().then(poll);
  }

  #poll(): void {
    if (this.#server.closed) return;
    const now = this.#now;
    this.#clearPollTimer();
    this.#reaper.schedule();
    while (this.#active.size < this.#options.concurrency) {
      if (this.#startedInTurn >= BATCH) return this.#pollSoon();
      const job = this.#server.store.claim(this.#openQueues(), now);
      if (!job) return this.#pollLater(now);
      this.#pollInterval = MIN_POLL_MS;
      this.#start(job);
    }
  }

  /** The queues that may have another job running. */
  *#openQueues(): Iterable<string> {
    for (const [queue, limit] of this.#options.queues) {
      if ((this.#activeIn.get(queue) ?? 0) < limit) yield queue;
    }
  }

  /** Sets a timer for the next delayed job. */
  #pollLater(
    now: number,
    next: number | undefined = this.#server.store.nextRunAt(this.#options.queues.keys()),
  ): void {
    const { timers, quirks } = this.#server;
    if (next === undefined) return;
    let wait = next - now;
    if (quirks["slow-polling"]) {
      this.#pollInterval = Math.min(this.#pollInterval * 2, MAX_POLL_MS);
      wait = this.#pollInterval;
    }
    this.#clearPollTimer = timers.set(() => this.#poll(), wait);
  }

  #start(job: JobRow): void {
    const server = this.#server;
    this.#startedInTurn++;
    job.state = "running";
    job.startedAt = server.timestamps.now();
    job.startedMs = this.#now;
    emitJob(server, "job.started", job);
    const definition = server.registry.job(job.name);
    if (!definition) {
      if (server.quirks["unknown-job-hangs"]) return server.store.addOrphan(job);
      job.retryCount = job.maxRetries;
      return this.#fail(job, new Error(`no handler registered for job "${job.name}"`));
    }
    this.#activeIn.set(job.queue, (this.#activeIn.get(job.queue) ?? 0) + 1);
    const attempt = new JobAttempt(server, job);
    this.#active.set(job, attempt);
    void this.#run(job, definition, attempt);
  }

  async #run(job: JobRow, definition: JobDefinition, attempt: JobAttempt): Promise<void> {
    const server = this.#server;
    let failure: { error: unknown } | undefined;
    try {
      const payload = await decodePayload(job, definition.options.payload);
      const call = () => definition.handler(payload as never, attempt);
      await (server.aroundWork ? attempt.carryOut(server.aroundWork, call) : call());
    } catch (error) {
      failure = { error };
    }
    attempt.end();
    if (server.closed) return never();
    this.#active.delete(job);
    this.#activeIn.set(job.queue, this.#activeIn.get(job.queue)! - 1);
    const wasCancelled = job.state === "cancelled" && !server.quirks["cancel-overwrites"];
    if (!wasCancelled) {
      if (failure?.error instanceof CrashError) this.#lose(job, failure.error.ms);
      else if (failure) this.#fail(job, failure.error);
      else this.#complete(job);
    }
    this.#pollSoon();
  }

  /** Leaves a job without a worker for some time. */
  #lose(job: JobRow, ms: number): void {
    this.#server.timers.set(() => {
      if (job.state === "running") requeueOrphan(this.#server, job);
    }, ms);
  }

  #complete(job: JobRow): void {
    job.state = "completed";
    job.completedAt = job.updatedAt = this.#server.timestamps.now();
    const elapsed_ms = Math.floor(this.#now - job.startedMs);
    emitJob(this.#server, "job.completed", job, { elapsed_ms });
  }

  /** Returns how long to wait after the nth failure: what the workload says, if that is a time. */
  #backoffAfter(failures: number): number {
    const wait = this.#options.backoff(failures);
    if (wait >= 0 && wait < MAX_BACKOFF_MS) return wait;
    this.#server.log(`the backoff after failure ${failures} is ${wait}: retrying at once`);
    return 0;
  }

  /** Schedules a retry, or moves the job to the dead letters after the last one. */
  #fail(job: JobRow, reason: unknown): void {
    const server = this.#server;
    const error = errorText(reason);
    job.retryCount++;
    job.lastError = error;
    job.updatedAt = server.timestamps.now();
    if (job.retryCount <= job.maxRetries) {
      job.state = "retrying";
      const wait = this.#backoffAfter(job.retryCount);
      const runAt = server.timers.clock.now() + wait;
      job.runAtMs = this.#now + wait;
      job.runAt = new Date(runAt).toISOString();
      emitJob(server, "job.retrying", job, {
        attempt: job.retryCount,
        next_run_at: wholeSeconds(runAt),
      });
      return server.store.enqueue(job, this.#now);
    }
    job.state = "failed";
    const id = server.ids.next("dlq");
    const { app, org, updatedAt: failedAt } = job;
    const { retryCount } = job;
    server.store.deadLetterRows.set(id, { id, job, retryCount, error, app, org, failedAt });
    emitJob(server, "job.failed", job, { error });
    emitJob(server, "job.dlq", job, { error });
  }
}
