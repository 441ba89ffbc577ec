import type { DispatchEvent } from "../../protocol/event.ts";
import { isTerminal } from "../../protocol/entity.ts";
import {
  abortable,
  closedError,
  ConnectionError,
  delay,
  DispatchError,
  said,
  TimeoutError,
} from "../_core.ts";
import type { Gap } from "../gap.ts";
import { Channels } from "../subscribe/event_router.ts";
import type { CallOptions } from "../options.ts";
import type { Receiver, Transport } from "../connection/transport.ts";

/** What a job and a run have in common. */
export interface Tracked {
  id: string;
  state: string;
}

/** How to follow one kind of entity. */
export interface TrackerSpec<R extends Tracked, E extends DispatchEvent> {
  /** Names it in an error: `job 'job_…'`. */
  what: string;
  /** The channel its events come on. */
  channel: string;
  /** Reads it as it is now. */
  read(options: CallOptions): Promise<R>;
  /**
   * The events that its record, and what else the server keeps, tell of, with a gap where they are
   * silent of what `known` does not tell either.
   */
  recall(record: R, known: readonly (E | Gap)[], options: CallOptions): Promise<(E | Gap)[]>;
  /** Whether an event says that it is over. */
  isLast(event: E): boolean;
  /** The error of one that did not complete. */
  failed(record: R): Error;
  /** Called when it is seen to be over. */
  onEnd?(): void;
}

/** How often the server is asked, in milliseconds: at first, and at the longest. */
const FIRST_POLL = 250;
const LAST_POLL = 5_000;

/** After its last event a record may be a moment behind. */
const SETTLE_POLL = 20;

/** A record's time and its event's time differ by less, in milliseconds; two attempts' by more. */
const SAME_MOMENT = 25;

/**
 * Follows one job or run from all its witnesses: events of the connection that started it, events
 * of the control link, and polling behind both, since a node of a cluster sees only its own events.
 * Many waiters and readers share one.
 */
export class Tracker<R extends Tracked, E extends DispatchEvent> {
  readonly #session: Transport;
  readonly #spec: TrackerSpec<R, E>;
  readonly #log: (E | Gap)[] = [];
  readonly #seen = new Set<string>();
  /** When an event happened that the record told of and no witness yet, by its name. */
  readonly #recalled = new Map<string, number>();
  /** What comes while the past is being read has to wait its turn. */
  #held: (E | Gap)[] | undefined;
  /** The event that says it is over stays back until everything before it is known. */
  #lastEvent: E | undefined;
  #fed: boolean;
  /** Whether a witness has told of anything as it happened. */
  #heard = false;
  #caughtUp = false;
  #users = 0;
  #stop: AbortController | undefined;
  #record: R | undefined;
  #error: unknown;
  #over = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();

  /** @param fed Whether a witness hands in every event from the first on. */
  constructor(session: Transport, spec: TrackerSpec<R, E>, fed = false) {
    this.#session = session;
    this.#spec = spec;
    this.#heard = this.#fed = fed;
  }

  /** The last state that was seen. */
  get state(): string | undefined {
    return this.#record?.state;
  }

  /** Takes an event or a gap from a witness; one already seen is let be. */
  add(item: E | Gap): void {
    if (this.#over) return;
    if (this.#held) return void this.#held.push(item);
    if (item.type !== "gap") {
      if (this.#spec.isLast(item)) return void (this.#lastEvent ??= item);
      const key = keyOf(item);
      if (this.#seen.has(key) || this.#wasRecalled(item)) return;
      this.#seen.add(key);
    }
    this.#log.push(item);
    this.#wake();
  }

  /** The witness that handed in every event is gone: what it would have told is looked for. */
  unfed(): void {
    this.#fed = false;
  }

  /** Resolves with the record once it has completed. */
  async wait(signal: AbortSignal): Promise<R> {
    signal.throwIfAborted();
    this.#acquire();
    try {
      while (!this.#over) await abortable(this.#changed.promise, signal);
      if (this.#error) throw this.#error;
      if (this.#record!.state !== "completed") throw this.#spec.failed(this.#record!);
      return this.#record!;
    } finally {
      this.#release();
    }
  }

  /** The events from the first on, ended by the last; each reader has its own place. */
  events(options: { signal?: AbortSignal } = {}): AsyncIterableIterator<E | Gap, undefined> {
    const { signal } = options;
    const end = { done: true, value: undefined } as const;
    const left = Promise.withResolvers<void>();
    let at = 0;
    let open = true;
    const leave = () => {
      if (!open) return;
      open = false;
      this.#release();
      signal?.removeEventListener("abort", leave);
      left.resolve();
    };
    signal?.addEventListener("abort", leave, { once: true });
    this.#acquire();
    if (signal?.aborted) leave();
    const next = async (): Promise<IteratorResult<E | Gap, undefined>> => {
      for (;;) {
        signal?.throwIfAborted();
        if (!open) return end;
        if (at < this.#log.length) return { done: false, value: this.#log[at++]! };
        if (this.#over) {
          leave();
          if (this.#error && !isClosed(this.#error)) throw this.#error;
          return end;
        }
        await Promise.race([this.#changed.promise, left.promise]);
      }
    };
    return {
      next,
      return: () => {
        leave();
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #acquire(): void {
    if (this.#users++ > 0) return;
    if (this.#error && !this.#session.over) {
      // What ended the last wait need not end the next: the client may be connected again.
      this.#error = undefined;
      this.#over = false;
    }
    if (this.#over) return;
    this.#stop = new AbortController();
    void this.#follow(this.#stop.signal);
  }

  #release(): void {
    if (--this.#users === 0) this.#stop?.abort();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { attach, clock, onOver } = this.#session;
    if (!this.#fed) this.#held ??= [];
    let poke = new AbortController();
    let eventsCome = false;
    const receiver: Receiver = {
      onEvent: (event) => {
        this.#heard = eventsCome = true;
        this.add(event as E);
        if (this.#spec.isLast(event as E)) poke.abort();
      },
      onGap: (item) => {
        if (this.#fed) return;
        this.#caughtUp = false;
        this.add(item);
        poke.abort();
      },
      onEnd: (error) => this.#finish(undefined, error),
    };
    let attachment = attach.call(this.#session, this.#spec.channel, receiver, Channels);
    const onEnd = (error: Error) =>
      this.#finish(undefined, said(`wait for ${this.#spec.what}`, error));
    onOver.add(onEnd);
    try {
      if (this.#session.over) throw said(`wait for ${this.#spec.what}`, this.#session.over);
      for (let isReady = false; !isReady && !signal.aborted;) {
        isReady = await abortable(attachment.ready, signal).then(() => true, (error) => {
          // Without the right to subscribe there is still polling.
          if (error instanceof DispatchError && error.code === 403) return true;
          // No connection for longer than a request may take does not end the wait.
          if (error instanceof TimeoutError) return false;
          throw error;
        });
        if (!isReady) {
          attachment = attach.call(this.#session, this.#spec.channel, receiver, Channels);
        }
      }
      for (let pause = FIRST_POLL, settle = SETTLE_POLL; !signal.aborted;) {
        const ended = this.#lastEvent !== undefined;
        await this.#sync(signal);
        if (this.#over) break;
        const either = AbortSignal.any([signal, poke.signal]);
        const wait = ended ? settle : eventsCome ? pause * 3 : pause;
        await delay(wait, { signal: either, clock }).catch((error) => {
          if (!either.aborted) throw error;
        });
        poke = new AbortController();
        pause = Math.min(pause * 1.5, LAST_POLL);
        if (ended) settle = Math.min(settle * 1.5, LAST_POLL);
      }
    } catch (error) {
      if (!signal.aborted) this.#finish(undefined, error);
    } finally {
      this.#caughtUp = false;
      onOver.delete(onEnd);
      await attachment.detach().catch((error) => this.#session.anomaly(error));
    }
  }

  /** Reads the record, and with it what no witness has told. */
  async #sync(signal: AbortSignal): Promise<void> {
    try {
      const record = await this.#spec.read({ signal });
      const over = isTerminal(record.state);
      this.#record = record;
      // Its last events may be a moment behind, and know more than its record.
      if (over && this.#heard && !this.#lastEvent) {
        await delay(SETTLE_POLL, { signal, clock: this.#session.clock });
      }
      if (over ? !(this.#fed && this.#lastEvent) : !(this.#fed || this.#caughtUp)) {
        await this.#recall(record, signal);
      }
      if (over) this.#finish(record, undefined);
    } catch (error) {
      // One read that took too long does not end the wait.
      if (!(error instanceof TimeoutError)) throw error;
    }
  }

  /** Puts what the server keeps of the past where no witness told of it. */
  async #recall(record: R, signal: AbortSignal): Promise<void> {
    const known = [...this.#log, ...this.#held ?? []];
    const past = await this.#spec.recall(record, known, { signal });
    const held = this.#held ?? [];
    this.#held = undefined;
    const told = new Set([...held, ...this.#log].map(nameOf));
    for (const item of past) {
      if (told.has(nameOf(item))) continue;
      this.add(item);
      if (item.type !== "gap") this.#recalled.set(nameOf(item), Date.parse(item.ts));
    }
    for (const item of held) this.add(item);
    this.#caughtUp = true;
  }

  #wasRecalled(event: E): boolean {
    const at = this.#recalled.get(nameOf(event));
    return at !== undefined && Math.abs(Date.parse(event.ts) - at) < SAME_MOMENT;
  }

  #finish(record: R | undefined, error: unknown): void {
    if (this.#over) return;
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const item of held) this.add(item);
    if (this.#lastEvent) this.#log.push(this.#lastEvent);
    this.#record = record ?? this.#record;
    this.#error = record ? undefined : error ?? said(`wait for ${this.#spec.what}`, closedError());
    this.#over = true;
    if (record) this.#spec.onEnd?.();
    // Nobody needs the next look at the record.
    this.#stop?.abort();
    this.#wake();
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof ConnectionError && error.code === "closed";
}

/** Tells an event apart from all others; most kinds happen once. */
function keyOf(event: DispatchEvent): string {
  return REPEATED.has(event.type) ? `${nameOf(event)} ${event.ts}` : nameOf(event);
}

const REPEATED = new Set(["job.started", "job.retrying", "workflow.step_failed"]);

/** What an event says happened, without when. */
function nameOf(item: DispatchEvent | Gap): string {
  if (item.type === "gap") return `gap ${item.since}`;
  return "step_name" in item.data ? `${item.type} ${item.data.step_name}` : item.type;
}
