import type { CountingConnection, ReplayTime } from "./replay_time.ts";

/** A received frame, which may have any shape. */
export type RawFrame = Record<string, unknown>;

/** A server has so many milliseconds to accept a connection: a busy machine is no fault of its. */
const OPEN_TIME = 15_000;

/**
 * A WebSocket connection with separate queues for responses and events: servers guarantee an order
 * within each, but not between them.
 */
export class Connection implements CountingConnection {
  readonly #socket: WebSocket;
  readonly #time: ReplayTime;
  readonly #responses: RawFrame[] = [];
  readonly #events: RawFrame[] = [];
  #problem: string | undefined;
  #closed: string | undefined;
  #messages = 0;
  #wake: () => void = () => {};

  private constructor(socket: WebSocket, time: ReplayTime) {
    this.#socket = socket;
    this.#time = time;
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => {
      this.#closed = `closed with code ${code}`;
      this.#wake();
    };
  }

  /**
   * Opens a connection.
   * @throws {Error} If it does not open in time.
   */
  static open(url: string, time: ReplayTime): Promise<Connection> {
    const socket = new WebSocket(url);
    const connection = new Connection(socket, time);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        socket.close();
        reject(new Error(`${url} did not open within ${OPEN_TIME} ms`));
      }, OPEN_TIME);
      socket.onopen = () => {
        clearTimeout(timer);
        time.opened(connection);
        resolve(connection);
      };
      socket.onerror = () => {
        clearTimeout(timer);
        reject(new Error(`cannot connect to ${url}`));
      };
    });
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get messages(): number {
    return this.#messages;
  }

  /** Sends a message, as a binary one if it is given as bytes. */
  send(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.#closed !== undefined) throw new Error(`cannot send: ${this.#closed}`);
    this.#messages++;
    this.#socket.send(message);
  }

  /**
   * Takes the next response or event, or the first one that matches.
   * @throws {Error} If there is none within `timeout` milliseconds.
   */
  async next(
    kind: "response" | "event",
    timeout: number,
    matches: (frame: RawFrame) => boolean = () => true,
  ): Promise<RawFrame> {
    const queue = kind === "event" ? this.#events : this.#responses;
    const inTime = await this.#until(
      () => queue.some(matches) || this.#closed !== undefined,
      timeout,
    );
    if (this.#problem !== undefined) throw new Error(this.#problem);
    const index = queue.findIndex(matches);
    if (index !== -1) return queue.splice(index, 1)[0]!;
    const reason = inTime
      ? `the connection ${this.#closed}`
      : `nothing received within ${timeout} ms`;
    throw new Error(`no ${kind}: ${reason}${this.#unread()}`);
  }

  /** Takes all events that have been received. */
  takeEvents(): RawFrame[] {
    return this.#events.splice(0);
  }

  /**
   * Waits until the server closes the connection.
   * @throws {Error} If it does not within `timeout` milliseconds.
   */
  async closedByServer(timeout: number): Promise<void> {
    if (!await this.#until(() => this.#closed !== undefined, timeout)) {
      throw new Error(`the server did not close within ${timeout} ms${this.#unread()}`);
    }
  }

  /**
   * Asserts that every received frame was taken.
   * @throws {Error} With those that were not.
   */
  expectNothingMore(): void {
    if (this.#problem !== undefined) throw new Error(this.#problem);
    const frames = [...this.#responses, ...this.#events];
    if (frames.length > 0) {
      throw new Error(`received ${frames.length} more than the transcript has: ${list(frames)}`);
    }
  }

  /** Closes the connection without waiting for the server, which may be busy with a run. */
  close(): void {
    this.#socket.close();
  }

  #receive(data: unknown): void {
    this.#messages++;
    if (typeof data !== "string") this.#problem = "received a binary message";
    else {
      try {
        const frame = JSON.parse(data) as RawFrame;
        (frame.type === "event" ? this.#events : this.#responses).push(frame);
      } catch {
        this.#problem = `received a message that is not JSON: ${data.slice(0, 200)}`;
      }
    }
    this.#wake();
  }

  #unread(): string {
    const frames = [...this.#responses, ...this.#events];
    return frames.length === 0 ? "" : `; received instead: ${list(frames)}`;
  }

  #until(condition: () => boolean, timeout: number): Promise<boolean> {
    return this.#time.until(
      () => condition() || this.#problem !== undefined,
      timeout,
      () => new Promise((resolve) => this.#wake = resolve),
    );
  }
}

function list(frames: RawFrame[]): string {
  const shown = frames.slice(0, 3).map((frame) => JSON.stringify(frame).slice(0, 300));
  return shown.join(" ") + (frames.length > 3 ? ` and ${frames.length - 3} more` : "");
}
