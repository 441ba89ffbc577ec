import type { DispatchEvent } from "../../protocol/event.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Gap } from "../gap.ts";
import type { CallOptions } from "../options.ts";
import type { Deadlines } from "./deadlines.ts";

/** One request, before it is sent over any connection. */
export interface Request extends CallOptions {
  /** The action as an error message names it: `enqueue 'send-email'`. */
  what: string;
  method: string;
  /** The data as JSON text. */
  data?: string;
  /** The name, id or channel that the request is about, for hooks. */
  subject?: string;
  /** When to send it again after its connection was lost: `unknown` always, `not-sent` only if it never left. */
  retry: "not-sent" | "unknown";
}

/** Sends requests, over whichever transport. */
export interface Transport {
  readonly clock: Clock;
  readonly deadlines: Pick<Deadlines, "add">;
  /** Functions to call once when the transport closes or gives up. */
  readonly onClose: Set<(error: Error) => void>;
  /** Functions to call with the id of each job that was cancelled over this transport. */
  readonly onCancel: Set<(jobId: string) => unknown>;
  /** The reason why no request can be sent any more; `undefined` while requests can be sent. */
  readonly closedWith: Error | undefined;
  /** Sends a request and resolves with the data of the answer. */
  request(request: Request): Promise<unknown>;
  /** The deadline of a call that begins now, on the monotonic clock; `Infinity` for none. */
  deadline(timeout?: number): number;
  /** Reports a message that the client cannot use. */
  reportAnomaly(cause: Error): void;
}

/** Receives what a channel delivers. */
export interface Receiver {
  onEvent(event: DispatchEvent): void;
  /** Events may be missing at this place. */
  onGap(gap: Gap): void;
  /**
   * The channel has ended. There is no error when the client was closed; `keep` then says whether
   * items that were received but not read yet stay readable.
   */
  onEnd(error?: Error, keep?: boolean): void;
}

/** The link between a receiver and its channel. */
export interface Attachment {
  /** Resolves when the server has confirmed the subscription: no later event is missed. */
  ready: Promise<void>;
  /** Removes the receiver; resolves when the server knows. */
  detach(): Promise<void>;
}

/** Delivers the events of channels to receivers. */
export interface EventRouter {
  attach(channel: string, receiver: Receiver): Attachment;
}

/** A transport that also delivers events. */
export interface EventTransport extends Transport, EventRouter {}
