import type { Clock } from "../../runtime/clock.ts";
import { waitAtMost } from "../events/deadline.ts";
import type { Entity, LoggedEvent } from "../events/results.ts";
import { EventBuffer } from "./event_buffer.ts";

/** How long the last events may arrive after the final state was read, in milliseconds. */
const LAST_EVENTS_TIMEOUT = 1000;

/** The events of one job or run. */
interface Collected {
  events: readonly LoggedEvent[];
  /** Resolves when the stream of events has ended. */
  complete: Promise<void>;
}

/** Options of {@linkcode EntityEvents}. */
export interface EntityEventsOptions {
  /** The source of time. */
  clock: Clock;
  /** Called after each event. */
  onEvent(): void;
  /** Called when a stream of events fails. */
  onError(error: Error): void;
  /** Called when the oldest events of a job or run are dropped for the first time. */
  onDrop(entity: Entity): void;
}

/** Collects the events of a case's jobs and runs, for the results that include them. */
export class EntityEvents {
  #options: EntityEventsOptions;
  #byId = new Map<string, Collected>();
  /** Ends the streams; there is none before the first is read, because most cases read none. */
  #stop: AbortController | undefined;

  /** Creates a collection without any events. */
  constructor(options: EntityEventsOptions) {
    this.#options = options;
  }

  /**
   * Starts to collect the events of a job or run, unless that has begun before.
   *
   * @returns The events so far. More are added as they arrive.
   */
  collect(
    entity: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[] {
    const { id } = entity;
    let collected = this.#byId.get(id);
    if (!collected) {
      const buffer = new EventBuffer();
      const { signal } = this.#stop ??= new AbortController();
      const complete = this.#read(open(signal), buffer, entity, signal);
      collected = { events: buffer.events, complete };
      this.#byId.set(id, collected);
    }
    return collected.events;
  }

  /** Returns the events of a job or run so far; none if they are not collected. */
  of({ id }: Entity): readonly LoggedEvent[] {
    return this.#byId.get(id)?.events ?? [];
  }

  /** Waits briefly for the last events of a job or run that has ended. */
  async complete({ id }: Entity, signal: AbortSignal): Promise<void> {
    const collected = this.#byId.get(id);
    if (!collected) return;
    await waitAtMost(LAST_EVENTS_TIMEOUT, collected.complete, {
      clock: this.#options.clock,
      signal,
    });
  }

  /** Stops collecting. */
  close(): void {
    this.#stop?.abort();
  }

  async #read(
    stream: AsyncIterable<unknown>,
    buffer: EventBuffer,
    entity: Entity,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for await (const item of stream) {
        const { type, ts, topic, data } = item as LoggedEvent;
        if (type === "gap") continue;
        if (buffer.add({ type, ts, topic, data })) this.#options.onDrop(entity);
        this.#options.onEvent();
      }
    } catch (error) {
      if (!signal.aborted) this.#options.onError(error as Error);
    }
  }
}
