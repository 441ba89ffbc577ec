import type { RawFrame } from "../conformance/connection.ts";

/** An event of a stream, with its name. */
export interface StreamEvent {
  readonly event: string;
  readonly data: RawFrame;
}

/** A stream of events over HTTP, read as it comes. */
export class EventStream {
  readonly #controller = new AbortController();
  #wake: () => void = () => {};
  #text = "";
  status = 0;
  type = "";
  /** Whether the server ended the stream. */
  hasEnded = false;

  /** Opens a stream. Returns after the head of the answer has come. */
  static async open(url: string): Promise<EventStream> {
    const stream = new EventStream();
    const response = await fetch(url, { signal: stream.#controller.signal });
    stream.status = response.status;
    stream.type = response.headers.get("content-type") ?? "";
    void stream.#read(response);
    return stream;
  }

  /** The lines before the first event. */
  get head(): string {
    return this.#text.split(/^(?:event|data):/m, 1)[0]!;
  }

  /** The events that have come. */
  get events(): StreamEvent[] {
    return [...this.#text.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)].map(([, event, data]) => ({
      event: event!,
      data: JSON.parse(data!) as RawFrame,
    }));
  }

  /** Resolves when more has come, or the stream has ended. */
  changed(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(response: Response): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        this.#text += decoder.decode(chunk, { stream: true });
        this.#wake();
      }
      this.hasEnded = true;
    } catch (error) {
      // Closing the stream ends the reading with an error, too.
      if (!this.#controller.signal.aborted) this.#text += `\nbroken: ${error}\n`;
    }
    this.#wake();
  }
}
