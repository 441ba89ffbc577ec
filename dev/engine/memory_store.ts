import type { JobRecord, WorkflowRun } from "../../protocol/mod.ts";
import { Heap } from "./heap.ts";
import {
  type CronRow,
  type DeadLetterRow,
  type EventRow,
  type JobRow,
  publicJob,
  publicRun,
  type RunRow,
} from "./store_rows.ts";
import type { DeadLetter, Store } from "../store.ts";

/** Somebody who waits for an event. */
export interface Waiter {
  /** The server it waits in. */
  owner: object;
  names: readonly string[];
  /** Whether it wants this one. */
  wants(event: EventRow): boolean;
  /** Hands it over; it is taken then. */
  take(event: EventRow): void;
}

interface Queued {
  job: JobRow;
  ticket: number;
  order: number;
}

interface Queue {
  /** Those that may run, the most urgent first. */
  ready: Heap<Queued>;
  /** Those whose time is yet to come, the next first. */
  delayed: Heap<Queued>;
}

/** Keeps everything in memory. Nothing costs more the more jobs wait. */
export class MemoryStore implements Store {
  readonly jobRows = new Map<string, JobRow>();
  readonly runRows = new Map<string, RunRow>();
  readonly deadLetterRows = new Map<string, DeadLetterRow>();
  readonly cronRows = new Map<string, CronRow>();
  /** Jobs that are running and that nobody works on: no worker knows their name, or it is gone. */
  readonly orphans = new Set<JobRow>();
  readonly #queues = new Map<string, Queue>();
  readonly #events = new Map<string, EventRow[]>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  readonly #workListeners = new Set<() => void>();
  #order = 0;

  job(id: string): JobRecord | undefined {
    const row = this.jobRows.get(id);
    return row && publicJob(row);
  }

  run(id: string): WorkflowRun | undefined {
    const row = this.runRows.get(id);
    return row && publicRun(row);
  }

  jobs(): JobRecord[] {
    return [...this.jobRows.values()].map(publicJob);
  }

  runs(): WorkflowRun[] {
    return [...this.runRows.values()].map(publicRun);
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

  /** Calls back when there may be work. Gives what forgets it. */
  onWork(listener: () => void): () => void {
    this.#workListeners.add(listener);
    return () => this.#workListeners.delete(listener);
  }

  /** Queues a job that is pending or to be retried. */
  queue(job: JobRow, now: number): void {
    this.jobRows.set(job.id, job);
    job.ticket++;
    const queue = this.#queueOf(job.queue);
    const entry = { job, ticket: job.ticket, order: this.#order++ };
    (job.runAtMs > now ? queue.delayed : queue.ready).push(entry);
    for (const listener of this.#workListeners) listener();
  }

  /** Takes the most urgent job out of some queues. */
  claim(queues: Iterable<string>, now: number): JobRow | undefined {
    let best: Queue | undefined;
    for (const name of queues) {
      const queue = this.#queues.get(name);
      if (!queue) continue;
      promote(queue, now);
      const first = peekLive(queue.ready);
      if (first && (!best || moreUrgent(first, best.ready.peek()!))) best = queue;
    }
    return best?.ready.pop()?.job;
  }

  /** When the next job of some queues may run, in milliseconds since 1970. */
  nextRunAt(queues: Iterable<string>): number | undefined {
    let next: number | undefined;
    for (const name of queues) {
      const first = peekLive(this.#queues.get(name)?.delayed);
      if (first && (next === undefined || first.job.runAtMs < next)) next = first.job.runAtMs;
    }
    return next;
  }

  /** Notes that nobody works on a running job. */
  orphan(job: JobRow): void {
    this.orphans.add(job);
    for (const listener of this.#workListeners) listener();
  }

  /** Stores an event and hands it to whoever has waited longest for it. */
  publish(event: EventRow): void {
    for (const waiter of this.#waiters.get(event.name) ?? []) {
      if (!waiter.wants(event)) continue;
      this.#hand(waiter, event);
      return;
    }
    const events = this.#events.get(event.name);
    if (events) events.push(event);
    else this.#events.set(event.name, [event]);
  }

  /**
   * Hands a waiter an event that is there, or keeps it until one comes.
   * @param random Picks among several; without it the oldest is taken.
   */
  wait(waiter: Waiter, random?: () => number): void {
    for (const name of waiter.names) {
      const events = this.#events.get(name);
      const wants = (event: EventRow) => waiter.wants(event);
      const wanted = random && (events?.filter(wants) ?? []);
      const event = wanted ? wanted[Math.floor(random!() * wanted.length)] : events?.find(wants);
      if (!event) continue;
      events!.splice(events!.indexOf(event), 1);
      if (events!.length === 0) this.#events.delete(name);
      this.#hand(waiter, event);
      return;
    }
    for (const name of waiter.names) {
      const waiters = this.#waiters.get(name);
      if (waiters) waiters.add(waiter);
      else this.#waiters.set(name, new Set([waiter]));
    }
  }

  /** Forgets a waiter. */
  unwait(waiter: Waiter): void {
    for (const name of waiter.names) {
      const waiters = this.#waiters.get(name);
      waiters?.delete(waiter);
      if (waiters?.size === 0) this.#waiters.delete(name);
    }
  }

  /** Forgets all waiters of a server. */
  unwaitAll(owner: object): void {
    for (const waiters of [...this.#waiters.values()]) {
      for (const waiter of waiters) if (waiter.owner === owner) this.unwait(waiter);
    }
  }

  #hand(waiter: Waiter, event: EventRow): void {
    this.unwait(waiter);
    event.acked = true;
    waiter.take(event);
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

/** Whether a queue's entry still stands for its job: a cancelled one's does not. */
function isLive(entry: Queued): boolean {
  const { state, ticket } = entry.job;
  return ticket === entry.ticket && (state === "pending" || state === "retrying");
}

function peekLive(heap: Heap<Queued> | undefined): Queued | undefined {
  for (;;) {
    const first = heap?.peek();
    if (!first || isLive(first)) return first;
    heap!.pop();
  }
}

function promote(queue: Queue, now: number): void {
  for (;;) {
    const first = queue.delayed.peek();
    if (!first || first.job.runAtMs > now) return;
    queue.ready.push(queue.delayed.pop()!);
  }
}

function moreUrgent(a: Queued, b: Queued): boolean {
  if (a.job.priority !== b.job.priority) return a.job.priority > b.job.priority;
  if (a.job.runAtMs !== b.job.runAtMs) return a.job.runAtMs < b.job.runAtMs;
  return a.order < b.order;
}

function earlier(a: Queued, b: Queued): boolean {
  return a.job.runAtMs === b.job.runAtMs ? a.order < b.order : a.job.runAtMs < b.job.runAtMs;
}
