import type { NetworkNode } from "./connection.ts";
import type { WorldFault } from "./faults.ts";
import type { Network } from "./network.ts";
import type { WorldClock } from "./timeline.ts";

/** Settings of an {@linkcode Exchange}. */
interface ExchangeOptions {
  network: Network;
  client: WorldClock;
  url: URL;
  init: RequestInit;
  record(who: string, what: string, frame?: string): void;
}

/** Creates a `fetch` that sends the requests of a client through a simulated network. */
export function createFetch(
  network: Network,
  client: WorldClock,
  record: ExchangeOptions["record"],
): typeof fetch {
  const send = (input: Request | URL | string, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    return new Exchange({ network, client, url, init, record }).response;
  };
  return send as typeof fetch;
}

/** A chunk of a body, or its end. */
type Chunk = { done: false; value: Uint8Array } | { done: true; value: undefined };

/** One HTTP request and its response, which may be a stream. */
class Exchange {
  readonly #options: ExchangeOptions;
  readonly #name: string;
  readonly #node: NetworkNode;
  readonly #random: () => number;
  readonly #response = Promise.withResolvers<Response>();
  readonly #chunks: Chunk[] = [];
  readonly #readers: PromiseWithResolvers<Chunk>[] = [];
  #error: { error: unknown } | undefined;
  #lastAt = 0;
  /** The chunk that arrives last, while it is under way. */
  #chunk: { at: number; text: string } | undefined;
  #isMuted = false;
  /** Removes the listener of the request's signal. */
  #stopListening = (): void => {};
  /** Ends the stream at the node. */
  #cancel = (): void => {};

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { network, client, url, init, record } = options;
    const { name, node, random } = network.begin(client, url.href);
    this.#name = name;
    this.#node = node;
    this.#random = random;
    const { signal } = init;
    if (signal?.aborted) {
      this.#fail(signal.reason);
      return;
    }
    const onAbort = () => this.#fail(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    this.#stopListening = () => signal?.removeEventListener("abort", onAbort);
    const text = typeof init.body === "string" ? init.body : url.pathname + url.search;
    const fault = this.#faultFor("in", text);
    record(name, `requests${fault ? `, but ${fault.do}` : ""}`, text);
    if (this.#breaks(fault)) return;
    const body = fault?.do === "malformed" ? text.slice(0, text.length >> 1) : text;
    node.clock.setTimeout(
      () => void this.#serve(typeof init.body === "string" ? body : undefined),
      this.#latency() + (fault?.do === "delay" ? fault.ms! : 0),
    );
  }

  get response(): Promise<Response> {
    return this.#response.promise;
  }

  async #serve(body: string | undefined): Promise<void> {
    const { client, url, init } = this.#options;
    // The streams of a runtime need real time, in which no virtual time may pass.
    const release = client.freeze();
    try {
      const { method, headers } = init;
      const response = await this.#node.fetch(url, { method, headers, body });
      if (response.status === 503) return this.#lose();
      if (response.headers.get("Content-Type") === "text/event-stream") {
        this.#arrive(0, () => this.#respond(response));
        void this.#pump(response.body!.getReader());
      } else {
        const text = await response.text();
        const fault = this.#faultFor("out", text);
        this.#options.record(this.#name, `answers${fault ? `, but ${fault.do}` : ""}`, text);
        if (this.#breaks(fault)) return;
        const part = fault?.do === "malformed" ? text.slice(0, text.length >> 1) : text;
        this.#arrive(fault?.do === "delay" ? fault.ms! : 0, () => {
          this.#respond(response);
          this.#push(part);
          this.#end();
        });
      }
    } finally {
      release();
    }
  }

  /** Carries each message of a stream. */
  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    this.#cancel = () => void reader.cancel();
    const decoder = new TextDecoder();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const parts = (rest + decoder.decode(value, { stream: true })).split("\n\n");
      rest = parts.pop()!;
      for (const part of parts) this.#carry(`${part}\n\n`);
    }
    this.#arrive(0, () => this.#end());
  }

  #carry(message: string): void {
    if (this.#error) return;
    const fault = this.#faultFor("out", message);
    this.#options.record(this.#name, `streams${fault ? `, but ${fault.do}` : ""}`, message);
    // While a stream goes on, no part of it is lost or arrives twice.
    const mayBreak = fault?.do !== "drop" && this.#breaks(fault);
    if (!mayBreak) this.#stream(message, fault?.do === "delay" ? fault.ms! : 0);
  }

  /** Carries a part of a stream. Parts that arrive at the same time are one chunk. */
  #stream(text: string, delay: number): void {
    const last = this.#chunk;
    const chunk = this.#chunk = { at: 0, text };
    chunk.at = this.#arrive(delay, () => {
      if (this.#chunk === chunk) this.#chunk = undefined;
      if (chunk.text) this.#push(chunk.text);
    });
    if (chunk.at !== last?.at) return;
    last.text += text;
    chunk.text = "";
    this.#chunk = last;
  }

  /** Carries out a fault that ends the exchange; returns whether it does. */
  #breaks(fault: WorldFault | undefined): boolean {
    if (fault?.do === "cut" || fault?.do === "refuse") this.#lose();
    else if (fault?.do === "drop" || fault?.do === "half-open") this.#isMuted = true;
    else return false;
    return true;
  }

  #lose(): void {
    this.#cancel();
    this.#arrive(0, () => this.#fail(new TypeError("the connection was lost")));
  }

  #faultFor(direction: "in" | "out", text: string): WorldFault | undefined {
    const { network, client } = this.#options;
    const place = { connection: this.#name, client: client.name, node: this.#node.index };
    const fault = network.faultFor({ ...place, direction, text }, "http");
    return fault && { ms: 100, ...fault };
  }

  #latency(): number {
    return this.#options.network.latency(this.#random);
  }

  /** Calls back at the client, in order; returns when. */
  #arrive(delay: number, act: () => void): number {
    const { client } = this.#options;
    const now = client.monotonic();
    const at = Math.max(now + delay + this.#latency(), this.#lastAt);
    this.#lastAt = at;
    client.setTimeout(() => {
      if (!this.#isMuted) act();
    }, at - now);
    return at;
  }

  #respond({ status, headers }: Response): void {
    const read = (): Promise<Chunk> => {
      const chunk = this.#chunks.shift();
      if (chunk) return Promise.resolve(chunk);
      if (this.#error) return Promise.reject(this.#error.error);
      const reader = Promise.withResolvers<Chunk>();
      this.#readers.push(reader);
      return reader.promise;
    };
    const cancel = (): Promise<void> => {
      this.#cancel();
      this.#end();
      return Promise.resolve();
    };
    const body = { getReader: () => ({ read, cancel }), cancel };
    // Only the members that the clients use: a real body would need real time.
    const response = { ok: status < 300, status, headers, body };
    this.#response.resolve(response as unknown as Response);
  }

  #push(text: string): void {
    this.#give({ done: false, value: new TextEncoder().encode(text) });
  }

  #end(): void {
    this.#stopListening();
    this.#give({ done: true, value: undefined });
  }

  #give(chunk: Chunk): void {
    const reader = this.#readers.shift();
    if (reader) reader.resolve(chunk);
    else this.#chunks.push(chunk);
  }

  #fail(error: unknown): void {
    this.#stopListening();
    this.#error ??= { error };
    this.#cancel();
    this.#response.reject(error);
    for (const reader of this.#readers.splice(0)) reader.reject(error);
  }
}
