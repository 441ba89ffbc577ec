import { matchesChannel } from "../../protocol/channel.ts";
import type { DispatchEvent } from "../../protocol/event.ts";
import type { LoggedEvent } from "../events/results.ts";
import type { EventLog } from "../steps/context.ts";
import { EventBuffer } from "./event_buffer.ts";

/** The newest events of a channel, as a subscription delivers them. */
export class ChannelLog implements EventLog {
  readonly since: number | undefined;
  missed: string | undefined;
  #parts: { channel: string; log: ChannelLog }[] = [];
  #waiting = new Set<() => void>();
  #error: unknown;
  #buffer = new EventBuffer();
  #onDrop: () => void;

  /**
   * Creates an empty log that began at `since`, or with the recipe.
   *
   * @param onDrop Called when the oldest events are dropped for the first time.
   */
  constructor(since?: number, onDrop: () => void = () => {}) {
    this.since = since;
    this.#onDrop = onDrop;
  }

  get events(): readonly LoggedEvent[] {
    return this.#buffer.events;
  }

  get dropped(): number {
    return this.#buffer.dropped;
  }

  /** Adds an event. */
  add(event: LoggedEvent): void {
    if (this.#buffer.add(event)) this.#onDrop();
    for (const { channel, log } of this.#parts) {
      if (matchesChannel(channel, event as DispatchEvent)) log.add(event);
    }
    this.#wake();
  }

  /** Records that events were missed. */
  addGap(description: string): void {
    this.missed = description;
    for (const { log } of this.#parts) log.addGap(description);
    this.#wake();
  }

  /** Records that the subscription has failed. */
  fail(error: unknown): void {
    this.#error = error;
    for (const { log } of this.#parts) log.fail(error);
    this.#wake();
  }

  /** Returns the log of a narrower channel, whose events are all in this log. */
  narrow(channel: string): ChannelLog {
    const log = new ChannelLog(this.since);
    for (const event of this.events) {
      if (matchesChannel(channel, event as DispatchEvent)) log.add(event);
    }
    if (this.dropped > 0) log.addGap(`the first ${this.dropped} events were no longer kept`);
    if (this.missed !== undefined) log.addGap(this.missed);
    if (this.#error !== undefined) log.fail(this.#error);
    this.#parts.push({ channel, log });
    return log;
  }

  changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#error !== undefined) return Promise.reject(this.#error);
    return new Promise((resolve, reject) => {
      const done = () => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", onAbort);
      };
      const wake = () => {
        done();
        if (this.#error === undefined) resolve();
        else reject(this.#error);
      };
      const onAbort = () => {
        done();
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
