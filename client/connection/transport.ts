import type { DispatchEvent } from "../../protocol/event.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Reading } from "../_listening.ts";
import type { Channels } from "../subscribe/event_router.ts";
import type { Gap } from "../gap.ts";
import type { CallOptions } from "../options.ts";

/** Takes the events of a channel. */
export interface Receiver {
  onEvent(event: DispatchEvent): void;
  onGap(gap: Gap): void;
  /**
   * No more will come; without an error, because the client was closed. `keep` says that what was
   * received is still to be read.
   */
  onEnd(error?: Error, keep?: boolean): void;
}

/** A receiver's place in a channel. */
export interface Attachment {
  /** Resolves when the server has confirmed: events after that are not missed. */
  ready: Promise<void>;
  /** Leaves the channel; resolves when the server knows. */
  detach(): Promise<void>;
}

/** A request to be sent over whichever connection there is. */
export interface Request extends CallOptions {
  /** Says in an error what could not be done: `enqueue 'send-email'`. */
  what: string;
  method: string;
  /** The data as JSON text. */
  data?: string;
  /** Names what it is about to hooks. */
  subject?: string;
  /** When to send it again after its connection was lost: reads always, writes if not sent. */
  retry: "not-sent" | "unknown";
}

/** What handles on jobs, runs and channels stand on, whatever carries it. */
export interface Transport {
  readonly clock: Clock;
  readonly deadlines: Deadlines;
  /** Called when it is over, for whatever reason. */
  readonly onOver: Set<(error: Error) => void>;
  /** Why no request can be sent any more, if so. */
  readonly over: Error | undefined;
  /** Sends a request and resolves with the answer's data. */
  request(request: Request): Promise<unknown>;
  /**
   * Hands a channel's events to a receiver.
   * @param parts What does so over a WebSocket, loaded with whoever listens.
   */
  attach(channel: string, receiver: Receiver, parts: typeof Channels): Attachment;
  /** Uses what reads channels; requests that are made after that leave after it. */
  listen<T>(what: string, use: (part: Reading) => T): Promise<T>;
  /** When a call that begins now has to be over, in milliseconds since 1970. */
  deadline(timeout?: number): number;
  /** Tells of something that nothing could be done with. */
  anomaly(cause: Error): void;
}
