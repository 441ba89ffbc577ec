/** The client's end of a connection of a simulated network. */
export interface NetworkPeer {
  /** The client sends a message. */
  send(message: string | Uint8Array<ArrayBuffer>): void;
  /** The client begins the closing handshake. */
  close(): void;
  /** The client drops the connection. */
  drop(): void;
}

/** A WebSocket of a simulated network: as much of one as a `Dispatch` client uses. */
export class WorldSocket {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly url: string;
  readonly #peer: NetworkPeer;
  binaryType: BinaryType = "blob";
  readyState = 0;
  onopen: ((event: { type: "open" }) => unknown) | null = null;
  onmessage: ((event: { type: "message"; data: unknown }) => unknown) | null = null;
  onclose: ((event: { type: "close"; code: number; reason: string }) => unknown) | null = null;
  onerror: ((event: { type: "error" }) => unknown) | null = null;

  constructor(url: string, peer: (socket: WorldSocket) => NetworkPeer) {
    this.url = url;
    this.#peer = peer(this);
  }

  send(data: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState === this.CONNECTING) {
      throw new DOMException("The WebSocket is still connecting", "InvalidStateError");
    }
    if (this.readyState === this.OPEN) this.#peer.send(data);
  }

  close(): void {
    if (this.readyState >= this.CLOSING) return;
    this.readyState = this.CLOSING;
    this.#peer.close();
  }

  /** Drops the connection without a closing handshake. */
  terminate(): void {
    if (this.readyState === this.CLOSED) return;
    this.#peer.drop();
    this.end(1006, "");
  }

  /** Called by the network when the connection is open. */
  opened(): void {
    if (this.readyState !== this.CONNECTING) return;
    this.readyState = this.OPEN;
    this.onopen?.({ type: "open" });
  }

  /** Called by the network with a message. */
  receive(message: string | Uint8Array<ArrayBuffer>): void {
    if (this.readyState !== this.OPEN) return;
    const data = typeof message === "string" ? message : message.slice().buffer;
    this.onmessage?.({ type: "message", data });
  }

  /** Called by the network when the connection has ended. */
  end(code: number, reason: string): void {
    if (this.readyState === this.CLOSED) return;
    const wasConnecting = this.readyState === this.CONNECTING;
    this.readyState = this.CLOSED;
    if (wasConnecting) this.onerror?.({ type: "error" });
    this.onclose?.({ type: "close", code, reason });
  }
}
