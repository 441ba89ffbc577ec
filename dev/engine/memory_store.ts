import type { CronRecord, JobRecord, WorkflowRun } from "../../protocol/mod.ts";
import type { DeadLetter, Store } from "../store.ts";
import { Heap } from "./heap.ts";
import type { CronRow, DeadLetterRow, EventRow, JobRow, RunRow } from "./store_rows.ts";
import { toCronRecord, toJobRecord, toWorkflowRun } from "./wire_format.ts";

/**
 * Creates an empty store, for several servers to share or to outlive one.
 *
 * @example
 * ```ts
 * import { createDevServer, createStore, referenceWorkload } from "@dispatch/sdk/dev";
 *
 * const store = createStore();
 * await using a = await createDevServer({ ...referenceWorkload(), store });
 * await using b = await createDevServer({ ...referenceWorkload(), store });
 * ```
 */
export function createStore(): Store {
  return new MemoryStore();
}

/** A run that waits for an event. */
export interface EventWaiter {
  /** The server of the run. */
  owner: object;
  /** The names of the events it waits for. */
  names: readonly string[];
  /** Returns whether it accepts an event. */
  accepts(event: EventRow): boolean;
  /** Delivers the event, which ends the wait. */
  deliver(event: EventRow): void;
}

interface QueueEntry {
  job: JobRow;
  ticket: number;
  order: number;
}

interface Queue {
  /** Jobs that may run now, most urgent first. */
  ready: Heap<QueueEntry>;
  /** Jobs that may run later, the next one first. */
  delayed: Heap<QueueEntry>;
}

/**
 * Keeps everything in memory. Enqueueing and claiming take the same time however many jobs wait.
 */
export class MemoryStore implements Store {
  readonly jobRows = new Map<string, JobRow>();
  readonly runRows = new Map<string, RunRow>();
  readonly deadLetterRows = new Map<string, DeadLetterRow>();
  readonly cronRows = new Map<string, CronRow>();
  /** Running jobs without a worker: no worker has their handler, or their server has closed. */
  readonly orphans = new Set<JobRow>();
  readonly #queues = new Map<string, Queue>();
  readonly #events = new Map<string, EventRow[]>();
  readonly #waiters = new Map<string, Set<EventWaiter>>();
  readonly #workListeners = new Set<() => void>();
  readonly #cronListeners = new Set<() => void>();
  #order = 0;

  job(id: string): JobRecord | undefined {
    const row = this.jobRows.get(id);
    return row && toJobRecord(row);
  }

  run(id: string): WorkflowRun | undefined {
    const row = this.runRows.get(id);
    return row && toWorkflowRun(row);
  }

  jobs(): JobRecord[] {
    return [...this.jobRows.values()].map(toJobRecord);
  }

  runs(): WorkflowRun[] {
    return [...this.runRows.values()].map(toWorkflowRun);
  }

  deadLetters(): DeadLetter[] {
    return [...this.deadLetterRows.values()].map(({ id, job, error, failedAt }) => ({
      id,
      job_id: job.id,
      job_name: job.name,
      queue: job.queue,
      error,
      failed_at: failedAt,
    }));
  }

  crons(): CronRecord[] {
    return [...this.cronRows.values()].map(toCronRecord);
  }

  /** Calls back when there may be work; returns a function that removes the listener. */
  onWork(listener: () => void): () => void {
    this.#workListeners.add(listener);
    return () => this.#workListeners.delete(listener);
  }

  /** Calls back when a cron entry was changed by hand; returns a function that removes the listener. */
  onCronChange(listener: () => void): () => void {
    this.#cronListeners.add(listener);
    return () => this.#cronListeners.delete(listener);
  }

  /** Reports that a cron entry was enabled, disabled or deleted. */
  cronChanged(): void {
    for (const listener of this.#cronListeners) listener();
  }

  /**
   * Puts a pending or retrying job into its queue.
   * @param wakesWorkers Whether workers look for work at once, and not only at their next poll.
   */
  enqueue(job: JobRow, now: number, wakesWorkers: boolean = true): void {
    this.jobRows.set(job.id, job);
    job.ticket++;
    const queue = this.#queueOf(job.queue);
    const entry = { job, ticket: job.ticket, order: this.#order++ };
    (job.runAtMs > now ? queue.delayed : queue.ready).push(entry);
    if (!wakesWorkers) return;
    for (const listener of this.#workListeners) listener();
  }

  /** Removes and returns the most urgent job of these queues. */
  claim(queues: Iterable<string>, now: number): JobRow | undefined {
    let best: Queue | undefined;
    for (const name of queues) {
      const queue = this.#queues.get(name);
      if (!queue) continue;
      promote(queue, now);
      const first = peekCurrent(queue.ready);
      if (first && (!best || moreUrgent(first, best.ready.peek()!))) best = queue;
    }
    return best?.ready.pop()?.job;
  }

  /** Returns when the next delayed job of these queues may run. */
  nextRunAt(queues: Iterable<string>): number | undefined {
    let next: number | undefined;
    for (const name of queues) {
      const first = peekCurrent(this.#queues.get(name)?.delayed);
      if (first && (next === undefined || first.job.runAtMs < next)) next = first.job.runAtMs;
    }
    return next;
  }

  /** Records that a running job has no worker. */
  addOrphan(job: JobRow): void {
    this.orphans.add(job);
    for (const listener of this.#workListeners) listener();
  }

  /** Delivers an event to the waiter that has waited longest, or stores it if there is none. */
  publish(event: EventRow): void {
    for (const waiter of this.#waiters.get(event.name) ?? []) {
      if (!waiter.accepts(event)) continue;
      this.#deliver(waiter, event);
      return;
    }
    const events = this.#events.get(event.name);
    if (events) events.push(event);
    else this.#events.set(event.name, [event]);
  }

  /**
   * Delivers a stored event to a waiter, or keeps the waiter until an event comes.
   * @param random Picks among several events; without it the oldest is delivered.
   */
  addWaiter(waiter: EventWaiter, random?: () => number): void {
    for (const name of waiter.names) {
      const events = this.#events.get(name);
      const accepts = (event: EventRow) => waiter.accepts(event);
      const accepted = random && (events?.filter(accepts) ?? []);
      const event = accepted
        ? accepted[Math.floor(random!() * accepted.length)]
        : events?.find(accepts);
      if (!event) continue;
      events!.splice(events!.indexOf(event), 1);
      if (events!.length === 0) this.#events.delete(name);
      this.#deliver(waiter, event);
      return;
    }
    for (const name of waiter.names) {
      const waiters = this.#waiters.get(name);
      if (waiters) waiters.add(waiter);
      else this.#waiters.set(name, new Set([waiter]));
    }
  }

  /** Removes a waiter. */
  removeWaiter(waiter: EventWaiter): void {
    for (const name of waiter.names) {
      const waiters = this.#waiters.get(name);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiters.delete(name);
    }
  }

  /** Removes all waiters of a server. */
  removeWaitersOf(owner: object): void {
    for (const waiters of [...this.#waiters.values()]) {
      for (const waiter of waiters) if (waiter.owner === owner) this.removeWaiter(waiter);
    }
  }

  #deliver(waiter: EventWaiter, event: EventRow): void {
    this.removeWaiter(waiter);
    event.acked = true;
    waiter.deliver(event);
  }

  #queueOf(name: string): Queue {
    let queue = this.#queues.get(name);
    if (!queue) {
      queue = { ready: new Heap(moreUrgent), delayed: new Heap(earlier) };
      this.#queues.set(name, queue);
    }
    return queue;
  }
}

/** Whether a queue entry is current. It is outdated once its job is cancelled or queued again. */
function isCurrent(entry: QueueEntry): boolean {
  const { state, ticket } = entry.job;
  return ticket === entry.ticket && (state === "pending" || state === "retrying");
}

/** Returns the first current entry, dropping outdated ones. */
function peekCurrent(heap: Heap<QueueEntry> | undefined): QueueEntry | undefined {
  for (;;) {
    const first = heap?.peek();
    if (!first || isCurrent(first)) return first;
    heap!.pop();
  }
}

/** Moves the jobs that have become due to the ready ones. */
function promote(queue: Queue, now: number): void {
  for (;;) {
    const first = queue.delayed.peek();
    if (!first || first.job.runAtMs > now) return;
    queue.ready.push(queue.delayed.pop()!);
  }
}

function moreUrgent(a: QueueEntry, b: QueueEntry): boolean {
  if (a.job.priority !== b.job.priority) return a.job.priority > b.job.priority;
  if (a.job.runAtMs !== b.job.runAtMs) return a.job.runAtMs < b.job.runAtMs;
  return a.order < b.order;
}

function earlier(a: QueueEntry, b: QueueEntry): boolean {
  return a.job.runAtMs === b.job.runAtMs ? a.order < b.order : a.job.runAtMs < b.job.runAtMs;
}
