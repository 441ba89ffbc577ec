import { type Frame, jsonCodec } from "../../protocol/mod.ts";

/** An event frame's event. */
export interface WireEvent {
  type: string;
  ts: string;
  topic: string;
  // deno-lint-ignore no-explicit-any
  data: any;
}

/** A frame as a test reads it. */
// deno-lint-ignore no-explicit-any
export type WireFrame = Frame & { data?: any };

/** A bare connection: what is sent and what comes, without anything a client does on its own. */
export class Wire {
  readonly socket: WebSocket;
  /** Every frame that came and was not taken yet. */
  readonly frames: WireFrame[] = [];
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  #wake: () => void = () => {};
  #id = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      this.frames.push(
        typeof data === "string"
          ? jsonCodec.decode(data) as WireFrame
          : { id: "", type: "event", data: new Uint8Array(data) },
      );
      this.#wake();
    };
    this.closed = new Promise((resolve) => {
      socket.onclose = ({ code }) => {
        resolve(code);
        this.#wake();
      };
    });
  }

  /** Opens a connection without a word. */
  static async open(url: string): Promise<Wire> {
    const wire = new Wire(new WebSocket(url));
    await new Promise<void>((resolve, reject) => {
      wire.socket.onopen = () => resolve();
      wire.socket.onerror = () => reject(new Error(`cannot connect to ${url}`));
    });
    return wire;
  }

  /** Opens a connection and authenticates it. */
  static async connect(url: string, token = "demo-token"): Promise<Wire> {
    const wire = await Wire.open(url);
    await wire.call("auth", { token });
    return wire;
  }

  /** Sends a message as it is. */
  text(text: string): void {
    this.socket.send(text);
  }

  /** Sends a request; gives its id. */
  send(method: string, data?: unknown): string {
    const id = `q${++this.#id}`;
    this.text(JSON.stringify({ id, type: "request", method, data }));
    return id;
  }

  /** Takes the first frame that fits, waiting for it. */
  async take(fits: (frame: WireFrame) => boolean): Promise<WireFrame> {
    for (;;) {
      const index = this.frames.findIndex(fits);
      if (index >= 0) return this.frames.splice(index, 1)[0]!;
      if (this.socket.readyState !== WebSocket.OPEN) throw new Error("the connection is closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** The answer to a request. */
  answerTo(id: string): Promise<WireFrame> {
    return this.take((frame) => frame.correl_id === id);
  }

  /** Sends a message as it is and takes the next frame that is no event. */
  reply(text: string): Promise<WireFrame> {
    this.text(text);
    return this.take((frame) => frame.type !== "event");
  }

  /** Calls a method; gives the answer's data. */
  // deno-lint-ignore no-explicit-any
  async call(method: string, data?: unknown): Promise<any> {
    const answer = await this.answerTo(this.send(method, data));
    if (answer.error) {
      throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
    }
    return answer.data;
  }

  /** Takes the next event, or the next of a type. */
  async event(type?: string): Promise<WireEvent> {
    const frame = await this.take((frame) =>
      frame.type === "event" && (type === undefined || frame.data.type === type)
    );
    return frame.data;
  }

  /** Takes events up to one of a type; gives what `show` makes of each. */
  async eventsTo<T>(type: string, show: (event: WireEvent) => T): Promise<T[]> {
    const shown: T[] = [];
    for (;;) {
      const event = await this.event();
      shown.push(show(event));
      if (event.type === type) return shown;
    }
  }

  /** Closes and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
