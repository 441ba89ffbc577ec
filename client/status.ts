import { lateIterator } from "./_late_iterator.ts";
import { part } from "./_load.ts";

/** What a client tells of its connection, discriminated by `type`. */
export type Status =
  /** Nothing is connected, and nothing tries to. */
  | { type: "idle" }
  /** A first connection is being made. */
  | { type: "connecting" }
  /** The server took the token. `attempt` is 0 for a first connection. */
  | { type: "connected"; sessionId: string; format: "json" | "msgpack"; attempt: number }
  /** The connection was lost. */
  | { type: "disconnected"; cause: Error }
  /** The next attempt, counted from 1, begins in `delay` milliseconds. */
  | { type: "reconnecting"; attempt: number; delay: number; cause: Error }
  /** The client gave up: no more attempts, or the token was refused. */
  | { type: "failed"; cause: Error }
  /** The client was closed. */
  | { type: "closed" }
  /** The server cannot do MessagePack; JSON is spoken from here on. */
  | { type: "format_fallback"; format: "json"; cause: Error }
  /**
   * A message that nothing could be done with: no frame, an error that belongs to no request, an
   * answer nobody waits for. `count` counts all of the connection's.
   */
  | { type: "anomaly"; count: number; cause: Error }
  /** Events may be missing: the server was out of credits. */
  | { type: "gap"; since: string; until: string }
  /** The connection that started a run was lost; the run is followed by other means. */
  | { type: "lane_lost"; runId?: string; cause: Error };

/** Hands each status to every reader. */
export class StatusFeed {
  /** Each takes a status; what reads them is loaded with the first. */
  readonly #readers = new Set<{ push(status: Status): void }>();
  #state: Status = { type: "idle" };

  /** The last status that told of the connection's state. */
  get state(): Status {
    return this.#state;
  }

  /** Tells every reader. */
  emit(status: Status): void {
    if (status.type in STATES) this.#state = status;
    for (const reader of this.#readers) reader.push(status);
    if (status.type === "closed") this.#readers.clear();
  }

  /** The state as it is, then each change. */
  read(): AsyncIterableIterator<Status, undefined> {
    const held = [this.#state];
    this.#readers.add(held);
    return lateIterator(this.#load(held));
  }

  async #load(held: Status[]): Promise<AsyncIterableIterator<Status, undefined>> {
    try {
      const { StatusReader } = await part(
        "read the status",
        import("./subscribe/open_subscription.ts"),
      );
      const reader = new StatusReader(() => this.#readers.delete(reader));
      for (const status of held) reader.push(status);
      // One that was closed meanwhile has no readers.
      if (this.#readers.has(held)) this.#readers.add(reader);
      return reader;
    } finally {
      this.#readers.delete(held);
    }
  }
}

/** Those that last, unlike what only happens. */
const STATES = { idle: 1, connecting: 1, connected: 1, reconnecting: 1, failed: 1, closed: 1 };
