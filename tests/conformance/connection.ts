/** A frame as it came, before anything is known of its shape. */
export type RawFrame = Record<string, unknown>;

/**
 * A WebSocket whose answers and events wait in two queues: a server promises an order within each,
 * and none between them.
 */
export class Connection {
  readonly #socket: WebSocket;
  readonly #answers: RawFrame[] = [];
  readonly #events: RawFrame[] = [];
  #problem: string | undefined;
  #closed: string | undefined;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(data);
    socket.onclose = ({ code }) => {
      this.#closed = `closed with code ${code}`;
      this.#wake();
    };
  }

  /** Opens a connection. */
  static open(url: string, timeout: number): Promise<Connection> {
    const socket = new WebSocket(url);
    const connection = new Connection(socket);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.close();
        reject(new Error(`${url} did not open within ${timeout} ms`));
      }, timeout);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        act();
      };
      socket.onopen = () => settle(() => resolve(connection));
      socket.onerror = () => settle(() => reject(new Error(`cannot connect to ${url}`)));
    });
  }

  /** Sends a message as it is. */
  send(text: string): void {
    if (this.#closed !== undefined) throw new Error(`cannot send: ${this.#closed}`);
    this.#socket.send(text);
  }

  /** The next answer or the next event, or the first that `isIt`, past others. */
  async next(
    kind: "answer" | "event",
    timeout: number,
    isIt: (frame: RawFrame) => boolean = () => true,
  ): Promise<RawFrame> {
    const queue = kind === "event" ? this.#events : this.#answers;
    const isThere = (): boolean => queue.some(isIt) || this.#closed !== undefined;
    const inTime = await this.#until(isThere, timeout);
    if (this.#problem !== undefined) throw new Error(this.#problem);
    const index = queue.findIndex(isIt);
    if (index !== -1) return queue.splice(index, 1)[0]!;
    const why = inTime ? `the connection ${this.#closed}` : `nothing came within ${timeout} ms`;
    throw new Error(`no ${kind}: ${why}${this.#others()}`);
  }

  /** The events that have come. */
  takeEvents(): RawFrame[] {
    return this.#events.splice(0);
  }

  /** Waits for the server to end the connection. */
  async closedByServer(timeout: number): Promise<void> {
    if (!await this.#until(() => this.#closed !== undefined, timeout)) {
      throw new Error(`the server did not close within ${timeout} ms${this.#others()}`);
    }
  }

  /**
   * Says what came and was not asked for.
   * @throws {Error} When there is something.
   */
  expectNothingMore(): void {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    const extra = [...this.#answers, ...this.#events];
    if (extra.length > 0) {
      throw new Error(`${extra.length} more came than the transcript has: ${list(extra)}`);
    }
  }

  /** Ends the connection. A server busy with a start answers late, so nothing waits for it. */
  close(): void {
    this.#socket.close();
  }

  #take(data: unknown): void {
    if (typeof data !== "string") this.#problem = "a binary message came";
    else {
      try {
        const frame = JSON.parse(data) as RawFrame;
        (frame.type === "event" ? this.#events : this.#answers).push(frame);
      } catch {
        this.#problem = `not JSON: ${data.slice(0, 200)}`;
      }
    }
    this.#wake();
  }

  #others(): string {
    const waiting = [...this.#answers, ...this.#events];
    return waiting.length === 0 ? "" : `; what did come: ${list(waiting)}`;
  }

  async #until(isTrue: () => boolean, timeout: number): Promise<boolean> {
    const end = performance.now() + timeout;
    while (!isTrue() && this.#problem === undefined) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return true;
  }
}

function list(frames: RawFrame[]): string {
  const shown = frames.slice(0, 3).map((frame) => JSON.stringify(frame).slice(0, 300));
  return shown.join(" ") + (frames.length > 3 ? ` and ${frames.length - 3} more` : "");
}
