import { LateStream } from "./_late_stream.ts";

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
  readonly #readers = new Set<LateStream<Status>>();
  #state: Status = { type: "idle" };

  /** The last status that told of the connection's state. */
  get state(): Status {
    return this.#state;
  }

  /** Tells every reader. */
  emit(status: Status): void {
    if (status.type in STATES) this.#state = status;
    for (const reader of this.#readers) reader.push(status);
    if (status.type !== "closed") return;
    for (const reader of this.#readers) reader.do((stream) => stream.end());
    this.#readers.clear();
  }

  /** A reader's stream: the state as it is, then each change. */
  read(): AsyncIterableIterator<Status, undefined> {
    const leave = () => void this.#readers.delete(reader);
    const part = import("./_buffers.ts").then((part) => part.statusBuffer(leave));
    const reader = new LateStream("read the status", part);
    reader.push(this.#state);
    if (this.#state.type === "closed") reader.do((stream) => stream.end());
    else this.#readers.add(reader);
    return reader;
  }
}

/** Those that last, unlike what only happens. */
const STATES = { idle: 1, connecting: 1, connected: 1, reconnecting: 1, failed: 1, closed: 1 };
