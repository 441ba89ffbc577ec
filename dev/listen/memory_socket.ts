import { afterTask } from "../../runtime/real_timers.ts";
import type { ServerSocket, SocketHandler } from "./socket.ts";

type Message = string | Uint8Array<ArrayBuffer>;

/** The close event of a WebSocket. Not every runtime has a `CloseEvent` class. */
class MemoryCloseEvent extends Event {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;

  constructor(code: number, reason: string) {
    super("close");
    this.code = code;
    this.reason = reason;
    this.wasClean = code !== 1006;
  }
}

/** The message event of a WebSocket. Node takes 30 ms to load its `MessageEvent`. */
class MemoryMessageEvent extends Event {
  readonly data: string | Blob | ArrayBuffer;
  readonly origin = "";
  readonly lastEventId = "";
  readonly source = null;
  readonly ports = [];

  constructor(data: string | Blob | ArrayBuffer) {
    super("message");
    this.data = data;
  }
}

/** A WebSocket whose peer is a server in the same process. */
export class MemorySocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly protocol = "";
  readonly extensions = "";
  readonly bufferedAmount = 0;
  binaryType: BinaryType = "blob";
  readyState = 0;
  onopen: ((event: Event) => unknown) | null = null;
  onmessage: ((event: MessageEvent) => unknown) | null = null;
  onclose: ((event: MemoryCloseEvent) => unknown) | null = null;
  onerror: ((event: Event) => unknown) | null = null;
  /** How many bytes look unsent to the server. A simulated network sets it. */
  unsent = 0;
  #handler: SocketHandler | undefined;

  /**
   * @param open Called with the server's end; returns its handler, or `undefined` to refuse.
   * @param onClose Called when the connection has ended.
   */
  constructor(
    url: string,
    open: (socket: ServerSocket) => SocketHandler | undefined,
    onClose: () => void,
  ) {
    super();
    this.url = url;
    afterTask(() => {
      if (this.readyState !== this.CONNECTING) return;
      this.#handler = open(this.#serverEnd(onClose));
      if (!this.#handler) return this.#fail();
      this.readyState = this.OPEN;
      this.#dispatch(new Event("open"));
    });
  }

  send(data: string | ArrayBufferLike | ArrayBufferView): void {
    if (this.readyState === this.CONNECTING) {
      throw new DOMException("The WebSocket is still connecting", "InvalidStateError");
    }
    if (this.readyState !== this.OPEN) return;
    const message = typeof data === "string" ? data : bytesOf(data);
    afterTask(() => this.readyState < this.CLOSED && this.#handler?.message(message));
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    afterTask(() => this.#end(code, reason));
  }

  /** Drops the connection without a closing handshake. */
  terminate(): void {
    this.#end(1006, "");
  }

  #serverEnd(onClose: () => void): ServerSocket {
    this.addEventListener("close", onClose, { once: true });
    return {
      send: (message) => {
        afterTask(() => {
          if (this.readyState === this.OPEN) this.#receive(message);
        });
      },
      buffered: () => this.unsent,
      close: (code, reason) => afterTask(() => this.#end(code, reason)),
      drop: () => afterTask(() => this.#end(1006, "")),
      terminate: () => this.#end(1006, ""),
    };
  }

  #receive(message: Message): void {
    const data = typeof message === "string"
      ? message
      : this.binaryType === "blob"
      ? new Blob([message])
      : message.slice().buffer;
    this.#dispatch(new MemoryMessageEvent(data));
  }

  #fail(): void {
    this.#dispatch(new Event("error"));
    this.#end(1006, "");
  }

  #end(code: number, reason: string): void {
    if (this.readyState === this.CLOSED) return;
    this.readyState = this.CLOSED;
    this.#handler?.closed();
    this.#dispatch(new MemoryCloseEvent(code, reason));
  }

  #dispatch(event: Event): void {
    const listener = this[`on${event.type}` as "onopen"];
    listener?.call(this, event);
    this.dispatchEvent(event);
  }
}

function bytesOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data.slice(0) as ArrayBuffer);
}
