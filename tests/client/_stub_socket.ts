import { Deadlines } from "../../client/connection/deadlines.ts";
import { Link } from "../../client/connection/link.ts";
import type { Clock } from "../../runtime/clock.ts";
import { within } from "../helpers/eventually.ts";
import type { Frame } from "../../protocol/mod.ts";

/** A WebSocket without a network: the test is the server, and decides what happens in which order. */
export class StubSocket {
  binaryType = "blob";
  onopen: (() => void) | undefined;
  onmessage: ((event: { data: unknown }) => void) | undefined;
  onerror: ((event: { message?: string }) => void) | undefined;
  onclose: ((event: { reason: string; code: number }) => void) | undefined;
  /** Everything that the client sent. */
  readonly sent: (string | Uint8Array)[] = [];
  /** Whether the client has asked for the closing handshake. */
  isClosing = false;
  /** Whether the client has dropped the connection. */
  isDropped = false;

  /** The socket as the client sees it. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  /** The text frames that the client sent. */
  get frames(): Frame[] {
    return this.sent.map((message) => JSON.parse(message as string));
  }

  /** The methods of the requests that the client sent. */
  get methods(): (string | undefined)[] {
    return this.frames.filter(({ method }) => method).map(({ method }) => method);
  }

  /** The last frame that the client sent. */
  get last(): Frame {
    return this.frames.at(-1)!;
  }

  send(message: string | Uint8Array): void {
    // A socket discards what is sent after it was closed.
    if (!this.isClosing) this.sent.push(message);
  }

  close(): void {
    this.isClosing = true;
  }

  terminate(): void {
    this.isDropped = true;
  }

  /** The server accepts the connection and the token. */
  accept(session = "s1"): void {
    this.onopen?.();
    this.answer({ session_id: session, format: "json" }, "auth");
  }

  /** Delivers a message: text and bytes as they are, anything else as JSON. */
  receive(message: unknown): void {
    const isRaw = typeof message === "string" || message instanceof ArrayBuffer;
    this.onmessage?.({ data: isRaw ? message : JSON.stringify(message) });
  }

  /** Answers a request, by default the last frame that was sent. */
  answer(data: unknown, id: string = this.last.id): void {
    this.receive({ id: "a", type: "response", correl_id: id, data });
  }

  /** Refuses a request, by default the last frame that was sent. */
  refuse(code: number, message: string, id: string | undefined = this.last.id): void {
    this.receive({ id: "e", type: "error", correl_id: id, error: { code, message } });
  }

  /** The connection ends. */
  lose(reason = "", code = 1006): void {
    this.onclose?.({ reason, code });
  }
}

/** Opens a link without pings over a stub socket, whose other end accepts it. */
export async function openLink(
  socket: StubSocket,
  clock: Clock,
  onAnomaly: (cause: Error) => void = () => {},
): Promise<Link> {
  const opening = Link.open({
    displayUrl: "ws://server.test/dwp",
    token: "t",
    binary: undefined,
    pingInterval: 0,
    pingTimeout: 0,
    clock,
    deadlines: new Deadlines(clock),
    socket: socket.asWebSocket,
    owner: { onAnomaly, onLost: () => {} },
  }, new AbortController().signal);
  socket.accept();
  return await within(opening, "opening");
}
