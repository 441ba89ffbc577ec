import { isTerminal } from "../../protocol/entity.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import { delay } from "../../runtime/clock.ts";
import type { EventTransport, Receiver } from "../connection/transport.ts";
import {
  closedError,
  type ConnectionError,
  type DispatchError,
  inContext,
  TimeoutError,
} from "../errors.ts";
import type { Gap } from "../gap.ts";
import { RESTART_PAUSE, SETTLE_PAUSE } from "../limits.ts";
import type { Follower, Tracked, TrackerSpec } from "./entity_handle.ts";
import { EventLog, nameOf, timeOf } from "./event_log.ts";
import { PollTimer } from "./poll_timer.ts";

/** Matches the types of an entity's last event. */
const IS_LAST = /\.completed|dlq|w\.failed/;

/**
 * Follows one job or run. Events come from the lane that started it and from the control link;
 * polling backs both up, because a node of a cluster publishes only its own events. All waiters and
 * readers share one tracker.
 */
export class Tracker<R extends Tracked, E extends DispatchEvent> implements Follower<R, E> {
  readonly #transport: EventTransport;
  readonly #spec: TrackerSpec<R, E>;
  readonly #log = new EventLog<E>();
  /** Items that arrive while earlier ones are unknown. */
  #held: (E | Gap)[] | undefined;
  /** The last event is kept back until everything before it is known. */
  #lastEvent: E | undefined;
  #fed: boolean;
  /** The time of an event of the control link, which the lane delivers, too, if it is alive. */
  #expected: string | undefined;
  /** Whether any event arrived from the server as it happened. */
  #sawLiveEvent: boolean;
  #pastIsKnown = false;
  #users = 0;
  #stop: AbortController | undefined;
  #timer: PollTimer | undefined;
  #record: R | undefined;
  #error: unknown;
  #ended = false;
  #changed: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly onState: Set<(state: string) => void> = new Set();

  /** @param fed Whether a lane adds every event, from the first on. */
  constructor(transport: EventTransport, spec: TrackerSpec<R, E>, fed = false) {
    this.#transport = transport;
    this.#spec = spec;
    this.#sawLiveEvent = this.#fed = fed;
  }

  get state(): string | undefined {
    return this.#record?.state;
  }

  /**
   * Adds an event or a gap; ignores an event that is already in the log.
   * @param isPast Whether it was synthesized.
   */
  add(item: E | Gap, isPast?: boolean): void {
    // After an error the lane goes on adding events, which the next reader needs.
    if (this.#ended && !this.#error) return;
    if (this.#held) this.#held.push(item);
    else if (IS_LAST.test(item.type)) {
      this.#lastEvent ??= item as E;
      this.#timer?.wake();
    } else {
      this.#log.append(item, isPast);
      this.#notify();
    }
  }

  /** Adds an event of the lane, unless others fill in what it missed. */
  onEvent(event: E): void {
    if (this.#fed) this.add(event);
  }

  /** The lane may have missed events; the control link and the timeline fill in the rest. */
  stopFeeding(): void {
    if (!this.#fed) return;
    this.#fed = this.#pastIsKnown = false;
    this.#held ??= [];
    this.#timer?.wake();
  }

  async wait(signal: AbortSignal): Promise<R> {
    signal.throwIfAborted();
    this.#acquire();
    try {
      while (!this.#ended) await abortable(this.#changed.promise, signal);
      if (this.#error) throw this.#error;
      if (this.#record!.state !== "completed") throw this.#spec.failure(this.#record!);
      return this.#record!;
    } finally {
      this.#release();
    }
  }

  events({ signal }: { signal?: AbortSignal } = {}): AsyncIterableIterator<E | Gap, undefined> {
    const end = { done: true, value: undefined } as const;
    const wasClosed = this.#transport.closedWith;
    const reader = new AbortController();
    const left = signal ? AbortSignal.any([signal, reader.signal]) : reader.signal;
    let position = 0;
    if (!left.aborted) {
      this.#acquire();
      // Where a listener remains, Deno runs on until the caller's signal times out.
      abortable(new Promise(() => {}), left).catch(() => this.#release());
    }
    const next = async (): Promise<IteratorResult<E | Gap, undefined>> => {
      for (;;) {
        signal?.throwIfAborted();
        if (left.aborted) return end;
        const { items } = this.#log;
        if (position < items.length) return { done: false, value: items[position++]! };
        if (this.#ended) {
          reader.abort();
          const error = this.#error as ConnectionError | undefined;
          // Closing the client ends a loop, but does not let one begin.
          if (error && (wasClosed || error.code !== "closed")) throw error;
          return end;
        }
        await abortable(this.#changed.promise, left).catch(() => {});
      }
    };
    return {
      next,
      return: () => {
        reader.abort();
        return Promise.resolve(end);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #notify(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #acquire(): void {
    if (this.#users++ && !this.#error) return;
    if (this.#error) {
      // The error that ended the last wait need not end this one: the client may be back online, or
      // closed.
      this.#error = undefined;
      this.#ended = false;
    }
    if (this.#ended) return;
    this.#stop = new AbortController();
    void this.#follow(this.#stop.signal);
  }

  #release(): void {
    if (--this.#users === 0) this.#stop!.abort();
  }

  /** Follows the entity until it ends or nobody needs it. */
  async #follow(signal: AbortSignal): Promise<void> {
    const { onClose, onCancel } = this.#transport;
    if (!this.#fed) this.#held ??= [];
    const timer = this.#timer = new PollTimer();
    const receiver = this.#createReceiver(timer);
    const attach = () => this.#transport.attach(this.#spec.channel, receiver);
    let attachment = attach();
    const onClosed = (error: Error) => this.#fail(error);
    onClose.add(onClosed);
    const onCancelled = (jobId: string) => this.#spec.what === `job '${jobId}'` && timer.wake();
    onCancel.add(onCancelled);
    try {
      const { closedWith } = this.#transport;
      if (closedWith) return this.#fail(closedWith);
      for (;;) {
        try {
          await abortable(attachment.ready, signal);
          break;
        } catch (error) {
          const { code } = error as DispatchError;
          // Without the permission to subscribe, polling alone follows the entity.
          if (code === 403) break;
          // A connection that takes longer than one request may does not end the wait.
          if (code !== "timeout") throw error;
          attachment = attach();
        }
      }
      while (!signal.aborted) {
        await this.#sync(signal);
        await timer.next(!!this.#lastEvent, this.#sawLiveEvent, signal, this.#transport.clock);
      }
    } catch (error) {
      if (!signal.aborted) this.#finish(error);
    } finally {
      this.#pastIsKnown = false;
      onClose.delete(onClosed);
      onCancel.delete(onCancelled);
      await attachment.detach().catch((error) => this.#transport.reportAnomaly(error));
    }
  }

  #createReceiver(timer: PollTimer): Receiver {
    return {
      onEvent: (event) => {
        this.#sawLiveEvent = true;
        // Those of the lane are in order, and none is missing before its last one.
        if (!this.#fed) this.add(event as E);
        else if (IS_LAST.test(event.type)) timer.wake();
        else this.#expected ??= event.ts;
      },
      onGap: (gap) => {
        // A fed tracker gets its events from the lane, which has no gap.
        if (this.#fed) return;
        this.#pastIsKnown = false;
        this.add(gap);
        this.#held ??= [];
        timer.wake();
      },
      onEnd: (error = closedError()) => this.#fail(error),
    };
  }

  /** Reads the record, and synthesizes the events that never arrived. */
  async #sync(signal: AbortSignal): Promise<void> {
    const wasKnown = this.#pastIsKnown;
    // A gap that arrives while the answer is under way makes it unknown again.
    this.#pastIsKnown = true;
    try {
      const record = this.#record = await this.#spec.read({ signal });
      const hasEnded = isTerminal(record.state);
      for (const listener of this.onState) listener(record.state);
      const { items } = this.#log;
      // The lane has fallen silent.
      if (this.#expected && !items.some((it) => (it as E).ts === this.#expected)) {
        this.stopFeeding();
      }
      this.#expected = undefined;
      // The last events may be a moment behind the record, and say more than it does.
      if (hasEnded && this.#sawLiveEvent && !this.#lastEvent) {
        await delay(SETTLE_PAUSE, { signal, clock: this.#transport.clock });
      }
      const isComplete = hasEnded ? this.#fed && this.#lastEvent : this.#fed || wasKnown;
      if (!isComplete) await this.#addPast(record, signal);
      if (hasEnded) this.#finish();
    } catch (error) {
      // A single slow read does not end the wait.
      if (!(error instanceof TimeoutError)) throw error;
      this.#pastIsKnown = false;
    }
  }

  /** Adds the held items, with synthesized events between them for everything that did not arrive. */
  async #addPast(record: R, signal: AbortSignal): Promise<void> {
    const { items } = this.#log;
    const held = this.#held ??= [];
    const past = await this.#spec.synthesize(record, [...items, ...held], { signal });
    this.#held = undefined;
    // While retries are missing, their events may be under way, and come before the start.
    const isInOrder = isTerminal(record.state) || past.every(timeOf);
    for (const item of past) {
      const name = nameOf(item);
      const time = isInOrder ? timeOf(item) : 0;
      const index = held.findLastIndex((it) => nameOf(it) === name || time > timeOf(it));
      for (const it of held.splice(0, index + 1)) this.add(it);
      const last = items.findLast(timeOf);
      // Another node may have begun the job anew. A start whose time says so is not in the log yet.
      const pause = last?.type === "job.retrying" ? 0 : RESTART_PAUSE;
      if (!this.#log.has(name) || time > timeOf(last) + pause) this.add(item, true);
    }
    for (const item of held) this.add(item);
    // Something was missed meanwhile.
    if (!this.#pastIsKnown) this.#held = [];
  }

  /** Ends because the transport has closed. */
  #fail(error: Error): void {
    this.#finish(inContext(`wait for ${this.#spec.what}`, error));
  }

  #finish(error?: unknown): void {
    if (this.#ended) return;
    this.#error = error;
    this.#ended = true;
    if (!error) {
      if (this.#lastEvent) this.#log.items.push(this.#lastEvent);
      this.#spec.onEnd?.();
    }
    // Stops polling: an ended record no longer changes.
    this.#stop!.abort();
    this.#notify();
  }
}
