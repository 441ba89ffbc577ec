import type { ServerSocket, SocketHandler } from "./socket.ts";

type Message = string | Uint8Array<ArrayBuffer>;

/** The events a browser's WebSocket has; they are made by hand, since not every runtime has them. */
class CloseNote extends Event {
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

/** Both ends of a connection that never leaves the process. */
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
  onclose: ((event: CloseNote) => unknown) | null = null;
  onerror: ((event: Event) => unknown) | null = null;
  #handler: SocketHandler | undefined;

  /**
   * @param open Gives who handles the server's end; `undefined` refuses the connection.
   * @param ended Called when the connection is over.
   */
  constructor(
    url: string,
    open: (socket: ServerSocket) => SocketHandler | undefined,
    ended: () => void,
  ) {
    super();
    this.url = url;
    queueMicrotask(() => {
      if (this.readyState !== 0) return;
      this.#handler = open(this.#serverEnd(ended));
      if (!this.#handler) return this.#fail();
      this.readyState = 1;
      this.#tell(new Event("open"));
    });
  }

  send(data: string | ArrayBufferLike | ArrayBufferView): void {
    if (this.readyState === 0) throw new DOMException("still connecting", "InvalidStateError");
    if (this.readyState !== 1) return;
    const message = typeof data === "string" ? data : bytesOf(data);
    queueMicrotask(() => this.readyState < 3 && this.#handler?.message(message));
  }

  close(code = 1005, reason = ""): void {
    if (this.readyState >= 2) return;
    this.readyState = 2;
    queueMicrotask(() => this.#end(code, reason));
  }

  /** Drops the connection without a closing handshake. */
  terminate(): void {
    this.#end(1006, "");
  }

  #serverEnd(ended: () => void): ServerSocket {
    this.addEventListener("close", ended, { once: true });
    return {
      send: (message) => {
        queueMicrotask(() => {
          if (this.readyState === 1) this.#receive(message);
        });
      },
      buffered: () => 0,
      close: (code, reason) => queueMicrotask(() => this.#end(code, reason)),
      drop: () => queueMicrotask(() => this.#end(1006, "")),
      terminate: () => this.#end(1006, ""),
    };
  }

  #receive(message: Message): void {
    const data = typeof message === "string"
      ? message
      : this.binaryType === "blob"
      ? new Blob([message])
      : message.slice().buffer;
    this.#tell(new MessageEvent("message", { data }));
  }

  #fail(): void {
    this.#tell(new Event("error"));
    this.#end(1006, "");
  }

  #end(code: number, reason: string): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#handler?.closed();
    this.#tell(new CloseNote(code, reason));
  }

  #tell(event: Event): void {
    const own = this[`on${event.type}` as "onopen"];
    own?.call(this, event);
    this.dispatchEvent(event);
  }
}

function bytesOf(data: ArrayBufferLike | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
    : new Uint8Array(data.slice(0) as ArrayBuffer);
}
