import { Stream } from "./_stream.ts";

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
  readonly #readers = new Set<Stream<Status>>();
  #state: Status = { type: "idle" };

  /** The last status that told of the connection's state. */
  get state(): Status {
    return this.#state;
  }

  /** Tells every reader. */
  emit(status: Status): void {
    if (STATES.has(status.type)) this.#state = status;
    for (const reader of this.#readers) reader.push(status);
    if (status.type === "closed") {
      for (const reader of this.#readers) reader.end();
      this.#readers.clear();
    }
  }

  /** A reader's stream: the state as it is, then each change. */
  read(): Stream<Status> {
    const stream = new Stream<Status>({
      capacity: 1_000,
      overflow: "drop-oldest",
      mark: (missed) => ({
        type: "anomaly",
        count: missed,
        cause: new Error(`${missed} older statuses were not read in time`),
      }),
      onLeave: () => this.#readers.delete(stream),
    });
    stream.push(this.#state);
    if (this.#state.type === "closed") stream.end();
    else this.#readers.add(stream);
    return stream;
  }
}

const STATES = new Set(["idle", "connecting", "connected", "reconnecting", "failed", "closed"]);
