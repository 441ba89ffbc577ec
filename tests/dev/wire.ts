import { type Frame, jsonCodec } from "../../protocol/mod.ts";

/** The event in an event frame. */
export interface WireEvent {
  type: string;
  ts: string;
  topic: string;
  // deno-lint-ignore no-explicit-any
  data: any;
}

/** A frame with untyped data. */
// deno-lint-ignore no-explicit-any
export type WireFrame = Frame & { data?: any };

/** A bare WebSocket connection: sends and receives frames, and does nothing a client would do. */
export class Wire {
  readonly socket: WebSocket;
  /** The frames that were received and not taken yet. */
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

  /** Opens a connection without authenticating it. */
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

  /** Sends a message. */
  text(text: string): void {
    this.socket.send(text);
  }

  /** Sends a request; returns its id. */
  send(method: string, data?: unknown): string {
    const id = `q${++this.#id}`;
    this.text(JSON.stringify({ id, type: "request", method, data }));
    return id;
  }

  /** Takes the first frame that matches, waiting for it if necessary. */
  async take(matches: (frame: WireFrame) => boolean): Promise<WireFrame> {
    for (;;) {
      const index = this.frames.findIndex(matches);
      if (index >= 0) return this.frames.splice(index, 1)[0]!;
      if (this.socket.readyState !== WebSocket.OPEN) throw new Error("the connection is closed");
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Takes the response to a request. */
  responseTo(id: string): Promise<WireFrame> {
    return this.take((frame) => frame.correl_id === id);
  }

  /** Sends a message and takes the next frame that is not an event. */
  reply(text: string): Promise<WireFrame> {
    this.text(text);
    return this.take((frame) => frame.type !== "event");
  }

  /** Calls a method; returns the data of the response, or throws its error. */
  // deno-lint-ignore no-explicit-any
  async call(method: string, data?: unknown): Promise<any> {
    const response = await this.responseTo(this.send(method, data));
    if (response.error) {
      throw Object.assign(new Error(response.error.message), { code: response.error.code });
    }
    return response.data;
  }

  /** Takes the next event, or the next of a type. */
  async event(type?: string): Promise<WireEvent> {
    const frame = await this.take((frame) =>
      frame.type === "event" && (type === undefined || frame.data.type === type)
    );
    return frame.data;
  }

  /** Takes events up to one of a type; returns what `format` makes of each. */
  async eventsTo<T>(type: string, format: (event: WireEvent) => T): Promise<T[]> {
    const formatted: T[] = [];
    for (;;) {
      const event = await this.event();
      formatted.push(format(event));
      if (event.type === type) return formatted;
    }
  }

  /** Closes the connection and waits for the close event. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    await this.closed;
  }
}
