/** A minimal client: one WebSocket, JSON.stringify, a Map and JSON.parse, and nothing else. */
export class Bare {
  readonly #socket: WebSocket;
  readonly #pending = new Map<string, (data: unknown) => void>();
  #next = 1;
  /** Called with each event's frame. */
  onEvent: (frame: unknown) => void = () => {};

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.type === "event") this.onEvent(frame);
      else {
        const resolve = this.#pending.get(frame.correl_id);
        this.#pending.delete(frame.correl_id);
        resolve?.(frame.data);
      }
    };
  }

  /** Connects and authenticates. */
  static async connect(url: string, token: string): Promise<Bare> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const bare = new Bare(socket);
    await bare.call("auth", { token });
    return bare;
  }

  /** Sends a request and resolves with the answer's data. */
  call(method: string, data?: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      const id = String(this.#next++);
      this.#pending.set(id, resolve);
      this.#socket.send(
        JSON.stringify({ id, type: "request", method, data, ts: new Date().toISOString() }),
      );
    });
  }

  /** Grants the server credits for more events. */
  grant(credits: number): void {
    this.#socket.send(JSON.stringify({ id: "c", type: "request", credits }));
  }

  /** Closes the connection. */
  close(): void {
    this.#socket.close();
  }
}
