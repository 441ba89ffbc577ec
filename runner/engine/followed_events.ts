import type { Clock } from "../../runtime/clock.ts";
import { waitAtMost } from "../events/deadline.ts";
import type { Entity, LoggedEvent } from "../events/results.ts";

/** How long the last events of a job or run may come after the state they tell of, in milliseconds. */
const LAST_EVENTS = 1000;

/** What is told of one job or run. */
interface Followed {
  events: LoggedEvent[];
  /** Resolves when no more will come. */
  complete: Promise<void>;
}

/** Who is told of events. */
export interface FollowedEventsOptions {
  /** Where time comes from. */
  clock: Clock;
  /** Called when one more has come. */
  onEvent(): void;
  /** Called when none will come because of an error. */
  onError(error: Error): void;
}

/** The events of a case's jobs and runs, for the results that hold them. */
export class FollowedEvents {
  #options: FollowedEventsOptions;
  #byId = new Map<string, Followed>();
  #stop = new AbortController();

  /** Follows nothing yet. */
  constructor(options: FollowedEventsOptions) {
    this.#options = options;
  }

  /** The events of a job or run; more are added as they come. */
  follow(
    { id }: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[] {
    let followed = this.#byId.get(id);
    if (!followed) {
      const events: LoggedEvent[] = [];
      followed = { events, complete: this.#collect(open(this.#stop.signal), events) };
      this.#byId.set(id, followed);
    }
    return followed.events;
  }

  /** The events of a job or run so far; none when it is not followed. */
  of({ id }: Entity): readonly LoggedEvent[] {
    return this.#byId.get(id)?.events ?? [];
  }

  /** Waits a moment for the last events of a job or run that has ended. */
  async complete({ id }: Entity, signal: AbortSignal): Promise<void> {
    const followed = this.#byId.get(id);
    if (!followed) return;
    await waitAtMost(LAST_EVENTS, followed.complete, { clock: this.#options.clock, signal });
  }

  /** Follows no more. */
  close(): void {
    this.#stop.abort();
  }

  async #collect(stream: AsyncIterable<unknown>, events: LoggedEvent[]): Promise<void> {
    try {
      for await (const item of stream) {
        const { type, ts, topic, data } = item as LoggedEvent;
        if (type === "gap") continue;
        events.push({ type, ts, topic, data });
        this.#options.onEvent();
      }
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#options.onError(error as Error);
    }
  }
}
