import { type DispatchEvent, toEvent } from "../../protocol/event.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Link } from "../connection/link.ts";

/** What a server grants a new connection. */
const INITIAL = 1_000;

/**
 * At how many credits left the first grant is sent. Not at once: a frame without an answer, sent
 * right before a request, holds that back by the 40 ms a peer's kernel may take to acknowledge it,
 * where the runtime leaves Nagle's algorithm on, as Deno does.
 */
const FIRST_TOP_UP = 950;

/** A grant that the server has not been seen to have read. */
interface Grant {
  /** The ping behind it: its pong shows that the grant was read. */
  pingId: string;
  credits: number;
  since: number;
}

/** The events of one link, and the credits for which a server sends them. */
export class Feed {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #full: number;
  readonly #onEvent: (event: DispatchEvent) => void;
  readonly #onStarved: ((since: number, until: number) => void) | undefined;
  #left = INITIAL;
  #topUpAt = FIRST_TOP_UP;
  /** The credits that the server certainly had, and what of them has not come as events. */
  #certain = INITIAL;
  readonly #grants: Grant[] = [];

  /**
   * @param credits How many a grant fills up to, on top of the first.
   * @param onStarved The server had no credits left: events may be missing. Without it, nobody wants
   * to know.
   */
  constructor(
    link: Link,
    clock: Clock,
    credits: number,
    onEvent: (event: DispatchEvent) => void,
    onStarved?: (since: number, until: number) => void,
  ) {
    this.#link = link;
    this.#clock = clock;
    this.#full = INITIAL + credits;
    this.#onEvent = onEvent;
    this.#onStarved = onStarved;
  }

  /** An event came. */
  take(frame: Frame): void {
    const event = toEvent(frame.data);
    if (!event) return this.#link.odd("an event without type and data", frame);
    this.#certain--;
    if (--this.#left <= this.#topUpAt) this.topUp();
    this.#onEvent(event);
  }

  /** Allows the server as many events as it may be allowed. */
  topUp(): void {
    if (!this.#link.isOpen) return;
    const credits = this.#full - Math.max(0, this.#left);
    this.#left += credits;
    this.#topUpAt = this.#full * 0.6;
    this.#link.say("request", { credits });
    // A grant has no answer, but requests are served in order: the pong says that it was read.
    if (!this.#onStarved) return;
    this.#grants.push({ credits, pingId: this.#link.say("ping"), since: this.#clock.now() });
  }

  /** A pong came. Where it answers the ping behind a grant: were there any credits left? */
  onPong(pingId: string | undefined): void {
    const [grant] = this.#grants;
    if (!grant || grant.pingId !== pingId) return;
    this.#grants.shift();
    if (this.#certain <= 0) this.#onStarved?.(grant.since, this.#clock.now());
    this.#certain += grant.credits;
  }
}
