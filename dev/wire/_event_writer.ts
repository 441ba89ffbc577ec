import { afterTask } from "../../runtime/real_timers.ts";
import type { PublishedEvent } from "../engine/server_state.ts";
import type { FrameWriter } from "./_frames.ts";
import type { Subscriber } from "./broker.ts";
import type { ServerParts } from "./method.ts";

/** How many bytes may wait in the socket before events wait in the subscriber's buffer. */
const HIGH_WATER_MARK = 1 << 20;
/** How often to check whether a full socket has room again. */
const DRAIN_POLL_MS = 5;

/** The connection that an {@linkcode EventWriter} writes to. */
export interface EventConnection {
  readonly isClosed: boolean;
  /** Returns how many bytes wait in the socket. */
  buffered(): number;
  /** Sends a frame, given as JSON text. */
  send(frame: string): void;
}

/** Writes the events of a subscriber to its connection, as fast as the client reads them. */
export class EventWriter {
  readonly #server: ServerParts;
  readonly #subscriber: Subscriber;
  readonly #frames: FrameWriter;
  readonly #connection: EventConnection;
  #isScheduled = false;

  constructor(
    server: ServerParts,
    subscriber: Subscriber,
    frames: FrameWriter,
    connection: EventConnection,
  ) {
    this.#server = server;
    this.#subscriber = subscriber;
    this.#frames = frames;
    this.#connection = connection;
    subscriber.onEvents = () => this.#schedule();
    subscriber.onHalfFull = () => this.#write();
  }

  /** Writes after the current task, as a Go server's writer goroutine does. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    afterTask(() => this.#writeAll());
  }

  #writeAll(): void {
    this.#write();
    if (this.#subscriber.buffer.length === 0) this.#isScheduled = false;
    else this.#server.socketClock.setTimeout(() => this.#writeAll(), DRAIN_POLL_MS);
  }

  /** Writes events until the socket is full. */
  #write(): void {
    const { buffer } = this.#subscriber;
    if (this.#connection.isClosed) buffer.length = 0;
    let written = 0;
    while (written < buffer.length && this.#connection.buffered() <= HIGH_WATER_MARK) {
      const event = buffer[written++]!;
      this.#connection.send(this.#frames.event(this.#channelOf(event), event.json));
    }
    buffer.splice(0, written);
  }

  #channelOf(event: PublishedEvent): string {
    if (this.#server.state.quirks["entity-channel"]) return event.topic;
    const published = this.#server.broker.channelsOf(event);
    for (const channel of this.#subscriber.channels) {
      if (published.includes(channel)) return channel;
    }
    return event.topic;
  }
}
