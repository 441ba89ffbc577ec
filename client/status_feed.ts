import { STATUS_CAPACITY } from "./limits.ts";
import type { Status } from "./status.ts";
import { BoundedQueue } from "./subscribe/bounded_queue.ts";

/** The types that describe a state, as opposed to something that happened. */
const STATES = /^(idle|failed|closed|(re)?connect)/;

/** Delivers each status to every reader. */
export class StatusFeed {
  readonly #readers = new Set<BoundedQueue<Status>>();
  #state: Status = { type: "idle" };

  /** The state of the connection. */
  get state(): Status {
    return this.#state;
  }

  /** Delivers a status to every reader. */
  emit(status: Status): void {
    if (STATES.test(status.type)) this.#state = status;
    for (const reader of this.#readers) deliver(reader, status);
    if (status.type === "closed") this.#readers.clear();
  }

  /** Reads the current state, then every status that follows. */
  read(): AsyncIterableIterator<Status, undefined> {
    const reader = new BoundedQueue<Status>({
      capacity: STATUS_CAPACITY,
      overflow: "drop-oldest",
      createMarker: (missed) => ({
        type: "anomaly",
        count: missed,
        cause: new Error(`dropped ${missed} statuses`),
      }),
      onLeave: () => this.#readers.delete(reader),
    });
    if (this.#state.type !== "closed") this.#readers.add(reader);
    deliver(reader, this.#state);
    return reader;
  }
}

function deliver(reader: BoundedQueue<Status>, status: Status): void {
  reader.push(status);
  if (status.type === "closed") reader.end();
}
