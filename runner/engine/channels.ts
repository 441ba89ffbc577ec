import type { EventLog, LoggedEvent, RunnerClient } from "../steps/kind.ts";

/** The events that one case has seen on a channel. */
class Log implements EventLog {
  readonly events: LoggedEvent[] = [];
  missed: string | undefined;
  #waiting = new Set<() => void>();
  #error: unknown;

  add(event: LoggedEvent): void {
    this.events.push(event);
    this.#wake();
  }

  miss(what: string): void {
    this.missed = what;
    this.#wake();
  }

  fail(error: unknown): void {
    this.#error = error;
    this.#wake();
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

/** The channels of one case. */
export class Channels {
  #client: RunnerClient;
  #logs = new Map<string, Promise<Log>>();
  #subscriptions: { unsubscribe(): Promise<void> }[] = [];

  /** Subscribes through a client. */
  constructor(client: RunnerClient) {
    this.#client = client;
  }

  /** The log of a channel, subscribed to at the first call. */
  open(channel: string): Promise<Log> {
    let log = this.#logs.get(channel);
    if (!log) this.#logs.set(channel, log = this.#subscribe(channel));
    return log;
  }

  /** Unsubscribes from all. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#subscriptions.map((s) => s.unsubscribe()));
  }

  async #subscribe(channel: string): Promise<Log> {
    const log = new Log();
    const subscription = await this.#client.subscribe(channel);
    this.#subscriptions.push(subscription);
    void this.#read(subscription, log);
    return log;
  }

  async #read(subscription: AsyncIterable<unknown>, log: Log): Promise<void> {
    try {
      for await (const item of subscription) {
        const event = item as LoggedEvent & { reason?: string };
        if (event.type === "gap") log.miss(`a gap in the events (${event.reason})`);
        else log.add({ type: event.type, ts: event.ts, topic: event.topic, data: event.data });
      }
    } catch (error) {
      log.fail(error);
    }
  }
}
