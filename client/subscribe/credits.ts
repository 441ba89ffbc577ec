import { type DispatchEvent, toEvent } from "../../protocol/event.ts";
import type { Frame } from "../../protocol/frame.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Link } from "../connection/link.ts";
import type { FrameSink } from "../connection/link_options.ts";
import {
  BUFFER_SIZE,
  FIRST_TOP_UP,
  INITIAL_CREDITS,
  LARGER_BUFFER_SIZE,
  WATCHED_ENTITIES,
} from "../limits.ts";

/**
 * Matches the types of events that a job or run has only once it has started: `started`, `step_…`,
 * `completed`, `failed` and `retrying`.
 */
const PROGRESS = /\.(sta|ste|com|fai|ret)/;

/** The digits of an id. */
const DIGITS = "0123456789abcdefghjkmnpqrstvwxyz";

/** A grant that the server has not confirmed yet. */
interface Grant {
  /** The id of the ping that was sent after the grant: its pong shows that the grant was read. */
  pingId: string;
  credits: number;
  since: number;
  /** The value of `#fullUntil` at that time. */
  fullUntil: string;
}

/** Settings of a {@linkcode CreditWindow}. */
export interface CreditWindowOptions {
  /** The size of the window, not counting the initial credits. A grant fills it up again. */
  credits: number;
  onEvent(event: DispatchEvent): void;
  /** Called when the server had no credits left, so that events may be missing. */
  onStarved?(since: number, until: number): void;
  /** Called when other events that the server dropped are inferred, with times of the server. */
  onLost?(since: number | string, until: string): void;
  /**
   * Whether the subscriptions cover every event like this one of a job or run created at that time.
   */
  isCovered?(event: DispatchEvent, createdAt: number): boolean;
}

/**
 * Receives the events of one link, grants the server the credits to send more, and infers which it
 * dropped. Servers do not number events, so there are three signs:
 *
 * - The server had no credits left when it read a grant.
 * - The server's buffer was full. An event says when it was published, and its frame when it was taken
 *   out of the buffer; so it is known how many events were in the buffer at a time.
 * - A job or run that is younger than the subscription ended an attempt that never started. One worker
 *   sends both events, in order and through one server; those of two attempts can be mixed.
 *
 * A missing `job.enqueued` is no sign. Another server of the cluster may have published it, and none
 * is published for a job that comes from the dead letter queue.
 */
export class CreditWindow implements FrameSink {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #options: CreditWindowOptions;
  readonly #capacity: number;
  #left = INITIAL_CREDITS;
  #topUpAt = FIRST_TOP_UP;
  /** The credits that the server has certainly read, less the events that arrived. */
  #confirmed = INITIAL_CREDITS;
  readonly #grants: Grant[] = [];
  /**
   * The times at which the server took out the events that were in its buffer when the newest one
   * was published; `undefined` if the buffer is larger than it should be.
   */
  #takenAt: string[] | undefined = [];
  /** When the buffer became full, until that is reported. */
  #fullSince = "";
  /** When the last event that found a full buffer was taken out. */
  #fullUntil = "";
  /** How many attempts of a job are under way, by topic; 1 for a run. */
  readonly #started = new Map<string, number>();

  constructor(link: Link, clock: Clock, options: CreditWindowOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#options = options;
    this.#capacity = INITIAL_CREDITS + options.credits;
  }

  onEvent(frame: Frame): void {
    const event = toEvent(frame.data);
    if (!event) return this.#link.reportAnomaly("not an event");
    this.#confirmed--;
    if (--this.#left <= this.#topUpAt) this.topUp();
    const { onEvent, onLost } = this.#options;
    if (onLost) {
      this.#measureBuffer(event.ts, frame.ts ?? "");
      this.#checkStart(event);
    }
    onEvent(event);
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
    if (this.#options.onStarved) this.#ping(credits);
  }

  #ping(credits: number): void {
    this.#grants.push({
      credits,
      pingId: this.#link.sendControl("ping"),
      since: this.#clock.now(),
      fullUntil: this.#fullUntil,
    });
  }

  /** Checks, if the pong confirms a grant, whether the server had run out of credits before it. */
  onPong(pingId: string | undefined): void {
    const [grant] = this.#grants;
    if (!grant || grant.pingId !== pingId) return;
    this.#grants.shift();
    if (this.#confirmed <= 0) this.#options.onStarved!(grant.since, this.#clock.now());
    this.#confirmed += grant.credits;
    if (!this.#fullSince || !this.#takenAt) return;
    // Events that show that the buffer is larger would have arrived since the ping.
    if (this.#fullUntil !== grant.fullUntil) return this.#ping(0);
    this.#options.onLost!(this.#fullSince, this.#fullUntil);
    this.#fullSince = "";
  }

  #measureBuffer(ts: string, takenAt: string): void {
    const buffer = this.#takenAt;
    if (!buffer) return;
    // Without the `Z`, times of different precision sort as text.
    const publishedAt = ts.slice(0, -1);
    while (buffer[0]! <= publishedAt) buffer.shift();
    const size = buffer.push(takenAt.slice(0, -1));
    if (size > LARGER_BUFFER_SIZE) this.#takenAt = undefined;
    else if (size >= BUFFER_SIZE) {
      this.#fullUntil = takenAt;
      if (this.#fullSince) return;
      this.#fullSince = ts;
      this.#ping(0);
    }
  }

  #checkStart(event: DispatchEvent): void {
    const { type, topic, ts } = event;
    const progress = PROGRESS.exec(type)?.[1];
    const started = this.#started;
    if (!progress || started.size > WATCHED_ENTITIES) return;
    const attempts = started.get(topic) ?? 0;
    // Another worker may start the next attempt before `job.retrying` of this one is published.
    const left = progress === "ste" ? 1 : progress === "sta" ? attempts + 1 : attempts - 1;
    if (left > 0) started.set(topic, left);
    else started.delete(topic);
    if (attempts || progress === "sta") return;
    // The first ten digits of an id are the milliseconds since 1970.
    let createdAt = 0;
    for (const digit of topic.slice(-26, -16)) createdAt = createdAt * 32 + DIGITS.indexOf(digit);
    const { isCovered, onLost } = this.#options;
    if (createdAt <= Date.parse(ts) && isCovered!(event, createdAt)) onLost!(createdAt, ts);
  }
}
