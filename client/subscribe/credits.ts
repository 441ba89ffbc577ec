import { type DispatchEvent, toEvent } from "../../protocol/event.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Link } from "../connection/link.ts";
import type { FrameSink } from "../connection/link_options.ts";

/** The credits that a server grants to a new connection. */
const INITIAL = 1_000;

/**
 * The first grant is sent when this many credits are left. Not at once: where the runtime leaves
 * Nagle's algorithm on, as Deno does, a frame without an answer right before a request delays that
 * request until the peer's kernel acknowledges the frame, which takes up to 40 ms.
 */
const FIRST_TOP_UP = 950;

/** A grant that the server has not confirmed yet. */
interface Grant {
  /** The id of the ping that was sent after the grant: its pong shows that the grant was read. */
  pingId: string;
  credits: number;
  since: number;
}

/** Settings of a {@linkcode CreditWindow}. */
export interface CreditWindowOptions {
  /** The size of the window, not counting the initial credits. A grant fills it up again. */
  credits: number;
  onEvent(event: DispatchEvent): void;
  /** Called when the server had no credits left, so that events may be missing. */
  onStarved?(since: number, until: number): void;
}

/** Receives the events of one link, and grants the server the credits to send more. */
export class CreditWindow implements FrameSink {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #options: CreditWindowOptions;
  readonly #capacity: number;
  #left = INITIAL;
  #topUpAt = FIRST_TOP_UP;
  /** The credits that the server has certainly read, less the events that arrived. */
  #confirmed = INITIAL;
  readonly #grants: Grant[] = [];

  constructor(link: Link, clock: Clock, options: CreditWindowOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#options = options;
    this.#capacity = INITIAL + options.credits;
  }

  onEvent(frame: Frame): void {
    const event = toEvent(frame.data);
    if (!event) return this.#link.reportAnomaly("an event without type and data");
    this.#confirmed--;
    if (--this.#left <= this.#topUpAt) this.topUp();
    this.#options.onEvent(event);
  }

  /** Grants the credits that are missing from a full window. */
  topUp(): void {
    if (!this.#link.isOpen) return;
    const credits = this.#capacity - this.#left;
    // A server takes a grant of 0 for a request, and refuses it.
    if (credits === 0) return;
    this.#left += credits;
    this.#topUpAt = this.#capacity * 0.6;
    this.#link.sendControl("request", { credits });
    // The server does not answer a grant, but it serves requests in order: the pong confirms it.
    if (!this.#options.onStarved) return;
    this.#grants.push({
      credits,
      pingId: this.#link.sendControl("ping"),
      since: this.#clock.now(),
    });
  }

  /** Checks, if the pong confirms a grant, whether the server had run out of credits before it. */
  onPong(pingId: string | undefined): void {
    const [grant] = this.#grants;
    if (!grant || grant.pingId !== pingId) return;
    this.#grants.shift();
    if (this.#confirmed <= 0) this.#options.onStarved!(grant.since, this.#clock.now());
    this.#confirmed += grant.credits;
  }
}
