import type { DispatchEvent } from "../../protocol/event.ts";
import type { Clock } from "../../runtime/clock.ts";
import { channelsOf } from "../../protocol/channel.ts";
import { toEvent } from "../../protocol/event.ts";
import { gap } from "../gap.ts";
import { ConnectionError, delay, fullJitter, TimeoutError } from "../_core.ts";
import type { Receiver } from "../connection/transport.ts";

/** Settings of an {@linkcode EventStream}. */
export interface EventStreamOptions {
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

/** A server sends this many events on a stream and then none, without a word. */
const STREAM_EVENTS = 1_000;

/** After how many events the next stream is opened beside the first. */
const ROTATE_AFTER = 500;

/** After how many more it is tried again, when it cannot be opened. */
const ROTATE_STEP = 100;

/** One stream of server-sent events. */
interface Source {
  stop: AbortController;
  count: number;
  /** What came before it was this one's turn. */
  queue: DispatchEvent[];
}

/**
 * A channel's events over server-sent events: many streams one after another, since each ends in
 * silence after 1,000 events. The next is opened early; from the first event that both have told of
 * it takes over, and nothing was missed.
 */
export class EventStream {
  readonly #options: EventStreamOptions;
  readonly #sources = new Set<Source>();
  #current: Source | undefined;
  #next: Source | undefined;
  #isRotating = false;
  /** Told by the current source since the next was opened; the next may tell of it after its turn. */
  readonly #told = new Set<string>();
  #ended: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastHeard = 0;

  constructor(options: EventStreamOptions) {
    this.#options = options;
  }

  /** Reads until the signal is aborted; rejects when the server refuses. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => {
      for (const { stop } of this.#sources) stop.abort();
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
      try {
        this.#ended = Promise.withResolvers();
        this.#current = await this.#open();
        if (this.#lastHeard > 0) receiver.onGap(gap("reconnect", this.#lastHeard, clock.now()));
        this.#lastHeard = clock.now();
        attempt = 0;
        onReady();
        await this.#ended.promise;
      } catch (error) {
        // Refused: to ask again would not help. Never there: whoever waits for it is to know.
        const isLost = error instanceof ConnectionError || error instanceof TimeoutError;
        if (!isLost || this.#lastHeard === 0) throw error;
      }
      if (signal.aborted) return;
      attempt++;
      await delay(fullJitter(attempt, random()), { signal, clock });
    }
  }

  async #open(): Promise<Source> {
    const source: Source = { stop: new AbortController(), count: 0, queue: [] };
    this.#sources.add(source);
    try {
      const body = await this.#options.open(source.stop.signal);
      void this.#pump(source, body);
      return source;
    } catch (error) {
      this.#sources.delete(source);
      throw error;
    }
  }

  async #pump(source: Source, body: ReadableStream<Uint8Array>): Promise<void> {
    try {
      for await (const text of messages(body, source.stop.signal)) {
        // The server counts what is not for this channel, too.
        source.count++;
        const event = this.#event(text);
        if (event) this.#take(source, event);
        if (source === this.#current) this.#look(source);
      }
    } catch {
      // A stream that breaks is a stream that ended; the reader is told by a gap.
    }
    this.#sources.delete(source);
    if (source === this.#next) {
      this.#next = undefined;
      this.#isRotating = false;
    }
    if (source !== this.#current) return;
    if (this.#next) this.#switch(true);
    else this.#ended.resolve();
  }

  #take(source: Source, event: DispatchEvent): void {
    const key = keyOf(event);
    if (source === this.#next) {
      source.queue.push(event);
      if (source.queue.length === 1 && this.#told.has(key)) this.#switch(false);
      return;
    }
    if (source !== this.#current || (!this.#isRotating && this.#told.delete(key))) return;
    this.#options.receiver.onEvent(event);
    if (!this.#isRotating) return;
    this.#told.add(key);
    const [first] = this.#next?.queue ?? [];
    if (first && keyOf(first) === key) this.#switch(false);
  }

  /** Is it time for another source? */
  #look(source: Source): void {
    const { count } = source;
    if (count >= STREAM_EVENTS) this.#usedUp();
    else if (count >= ROTATE_AFTER && count % ROTATE_STEP === 0 && !this.#isRotating) {
      this.#rotate();
    }
  }

  /** The current source will say nothing more. */
  #usedUp(): void {
    if (this.#next) return this.#switch(true);
    if (this.#isRotating) return;
    this.#current!.stop.abort();
    this.#ended.resolve();
  }

  #rotate(): void {
    this.#told.clear();
    this.#isRotating = true;
    this.#open().then((source) => {
      this.#next = source;
      if (this.#current!.count >= STREAM_EVENTS) this.#usedUp();
    }, () => {
      this.#isRotating = false;
      if (this.#current!.count >= STREAM_EVENTS) this.#usedUp();
      // The current stream goes on, and when it is used up its end is told by a gap.
    });
  }

  /** The next source takes over. */
  #switch(missed: boolean): void {
    const { receiver, clock } = this.#options;
    this.#current!.stop.abort();
    const next = this.#current = this.#next!;
    this.#next = undefined;
    this.#isRotating = false;
    if (missed) receiver.onGap(gap("credits", this.#lastHeard, clock.now()));
    for (const event of next.queue.splice(0)) {
      if (!this.#told.delete(keyOf(event))) receiver.onEvent(event);
    }
    if (next.count >= ROTATE_AFTER) this.#rotate();
  }

  #event(text: string): DispatchEvent | undefined {
    this.#lastHeard = this.#options.clock.now();
    try {
      const event = toEvent(JSON.parse(text));
      return event && channelsOf(event).includes(this.#options.channel) ? event : undefined;
    } catch {
      // What is no event is passed over, as over a WebSocket.
      return undefined;
    }
  }
}

function keyOf(event: DispatchEvent): string {
  return `${event.type} ${event.topic} ${event.ts} ${JSON.stringify(event.data)}`;
}

/** The `data` of each message of an event stream. */
async function* messages(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  // Not every runtime lets go of a body when the request it answers is aborted.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += decoder.decode(value, { stream: true });
    const parts = rest.split(/\r\n\r\n|\n\n|\r\r/);
    rest = parts.pop()!;
    for (const part of parts) {
      const lines = part.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    }
  }
}
