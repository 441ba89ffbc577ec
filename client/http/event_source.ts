import { channelsOf } from "../../protocol/channel.ts";
import { type DispatchEvent, toEvent } from "../../protocol/event.ts";
import { type Clock, delay, monotonicNow } from "../../runtime/clock.ts";
import { fullJitter, HOLD_TIME } from "../backoff.ts";
import type { Receiver } from "../connection/transport.ts";
import { ConnectionError, DispatchError, TimeoutError } from "../errors.ts";
import { createGap } from "../gap.ts";
import { isTooLong, readText, tooLarge } from "./http_requests.ts";

/** Settings of a {@linkcode ChannelEventSource}. */
export interface ChannelEventSourceOptions {
  channel: string;
  receiver: Receiver;
  signal: AbortSignal;
  clock: Clock;
  random: () => number;
  /** Opens a stream of server-sent events. */
  open(signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Called when the first stream is open. */
  onReady(): void;
}

/** After this many events on one stream, a server silently sends no more. */
const STREAM_EVENTS = 1_000;

/** After this many events, the next stream is opened. */
const ROTATE_AFTER = 500;

/** If the next stream cannot be opened, it is tried again after this many more events. */
const ROTATE_STEP = 100;

/** The blank line after a message. */
const MESSAGE_END = /\r\n\r\n|\n\n|\r\r/;

/** One stream of server-sent events. */
interface EventStream {
  stop: AbortController;
  /** The number of events that the server has sent on it. */
  count: number;
  /** The events that arrived before the stream became the current one. */
  queue: DispatchEvent[];
}

/**
 * Reads a channel from one stream of server-sent events after another, because servers silently stop
 * a stream after 1,000 events. The next stream is opened early, while the current one still works.
 * It takes over at the first event that both streams contain, so that none is missed.
 */
export class ChannelEventSource {
  readonly #options: ChannelEventSourceOptions;
  readonly #streams = new Set<EventStream>();
  #current: EventStream | undefined;
  #next: EventStream | undefined;
  #isRotating = false;
  /** Keys of events delivered during a rotation, which the next stream may contain too. */
  readonly #delivered = new Set<string>();
  #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastEventAt = 0;
  /** The server's time of the last event that was delivered. */
  #lastTime = 0;

  constructor(options: ChannelEventSourceOptions) {
    this.#options = options;
  }

  /** Reads until the signal aborts; rejects if the server refuses. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => {
      for (const { stop } of this.#streams) stop.abort();
      this.#ended.resolve();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#run(signal);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock, random, receiver, onReady } = this.#options;
    for (let attempt = 0; !signal.aborted;) {
      let openedAt = Infinity;
      try {
        this.#ended = Promise.withResolvers();
        this.#current = await this.#open();
        if (this.#lastEventAt > 0) {
          receiver.onGap(createGap("reconnect", this.#lastEventAt, clock.now()));
        }
        this.#lastEventAt = clock.now();
        openedAt = monotonicNow(clock);
        onReady();
        await this.#ended.promise;
      } catch (error) {
        // Do not retry a refusal, nor a first attempt: the caller waits for its outcome.
        const isLost = error instanceof ConnectionError || error instanceof TimeoutError;
        if (!isLost || this.#lastEventAt === 0) throw error;
      }
      if (signal.aborted) return;
      attempt = monotonicNow(clock) - openedAt >= HOLD_TIME ? 1 : attempt + 1;
      await delay(fullJitter(attempt, random()), { signal, clock });
    }
  }

  async #open(): Promise<EventStream> {
    const stream: EventStream = { stop: new AbortController(), count: 0, queue: [] };
    this.#streams.add(stream);
    try {
      const body = await this.#options.open(stream.stop.signal);
      void this.#read(stream, body);
      return stream;
    } catch (error) {
      this.#streams.delete(stream);
      throw error;
    }
  }

  async #read(stream: EventStream, body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const text of messages(body, stream.stop.signal)) {
        // The server also counts events of other channels.
        stream.count++;
        const event = this.#decode(text);
        if (event) this.#onEvent(stream, event);
        if (stream === this.#current) this.#rotateIfDue(stream);
      }
    } catch (error) {
      // Any other broken stream is handled like one that ended: the receiver gets a gap.
      if (error instanceof DispatchError) this.#ended.reject(error);
    }
    this.#streams.delete(stream);
    if (stream === this.#next) {
      this.#next = undefined;
      this.#isRotating = false;
    }
    if (stream !== this.#current) return;
    if (this.#next) this.#switch(true);
    else this.#ended.resolve();
  }

  #onEvent(stream: EventStream, event: DispatchEvent): void {
    const key = keyOf(event);
    if (stream === this.#next) {
      stream.queue.push(event);
      if (stream.queue.length === 1 && this.#delivered.has(key)) this.#switch(false);
      return;
    }
    if (stream !== this.#current || (!this.#isRotating && this.#delivered.delete(key))) return;
    this.#deliver(event);
    if (!this.#isRotating) return;
    this.#delivered.add(key);
    const [first] = this.#next?.queue ?? [];
    if (first && keyOf(first) === key) this.#switch(false);
  }

  #deliver(event: DispatchEvent): void {
    this.#lastTime = Date.parse(event.ts);
    this.#options.receiver.onEvent(event);
  }

  #rotateIfDue(stream: EventStream): void {
    const { count } = stream;
    if (count >= STREAM_EVENTS) this.#onUsedUp();
    else if (count >= ROTATE_AFTER && count % ROTATE_STEP === 0 && !this.#isRotating) {
      this.#rotate();
    }
  }

  /** The server sends no more events on the current stream. */
  #onUsedUp(): void {
    if (this.#next) return this.#switch(true);
    if (this.#isRotating) return;
    this.#current!.stop.abort();
    this.#ended.resolve();
  }

  /** Opens the next stream. */
  #rotate(): void {
    this.#delivered.clear();
    this.#isRotating = true;
    this.#open().then((stream) => {
      this.#next = stream;
      if (this.#current!.count >= STREAM_EVENTS) this.#onUsedUp();
    }, () => {
      this.#isRotating = false;
      if (this.#current!.count >= STREAM_EVENTS) this.#onUsedUp();
      // The current stream goes on. If it is used up before a retry succeeds, there will be a gap.
    });
  }

  /** Makes the next stream the current one. */
  #switch(mayHaveMissed: boolean): void {
    const { receiver, clock } = this.#options;
    this.#current!.stop.abort();
    const next = this.#current = this.#next!;
    this.#next = undefined;
    this.#isRotating = false;
    if (mayHaveMissed) receiver.onGap(createGap("credits", this.#lastEventAt, clock.now()));
    const lastTime = this.#lastTime;
    for (const event of next.queue.splice(0)) {
      // A stream of another node has its own events; those that are late lie in the gap.
      const isLate = Date.parse(event.ts) < lastTime;
      if (!this.#delivered.delete(keyOf(event)) && !isLate) this.#deliver(event);
    }
    if (next.count >= ROTATE_AFTER) this.#rotate();
  }

  #decode(text: string): DispatchEvent | undefined {
    this.#lastEventAt = this.#options.clock.now();
    try {
      const event = toEvent(JSON.parse(text));
      return event && channelsOf(event).includes(this.#options.channel) ? event : undefined;
    } catch {
      // There is no status stream to report a malformed message to.
      return undefined;
    }
  }
}

function keyOf(event: DispatchEvent): string {
  return `${event.type} ${event.topic} ${event.ts} ${JSON.stringify(event.data)}`;
}

/** Yields the `data` of each message of an event stream. */
async function* messages(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const reader = body.getReader();
  // Not every runtime cancels the body when the request's signal aborts.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  let rest = "";
  let tail = "";
  for await (const text of readText(reader)) {
    // Searching a long message from its start with each chunk would take too long.
    const news = tail + text;
    tail = news.slice(-3);
    rest += text;
    if (isTooLong(rest)) throw tooLarge("read events");
    if (!MESSAGE_END.test(news)) continue;
    const parts = rest.split(MESSAGE_END);
    rest = parts.pop()!;
    for (const part of parts) {
      const lines = part.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    }
  }
}
