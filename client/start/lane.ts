import type { DispatchEvent, RunEvent } from "../../protocol/event.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { CallRequest } from "../connection/call.ts";
import type { Link } from "../connection/link.ts";
import { channelRequest } from "../connection/requests.ts";
import type { RunTracker } from "../follow/trackers.ts";
import { CreditWindow } from "../subscribe/credits.ts";

/**
 * A connection for one `workflow.start` at a time. A lane that listens also receives the events of
 * all runs.
 */
export class Lane {
  declare readonly link: Link;
  readonly #feed: CreditWindow;
  readonly #allCredits: number;
  /**
   * How many events the server may still send, even if a run keeps it from reading further grants; 0
   * without a subscription.
   */
  #credits = 0;
  /** Whether the server may have subscribed the lane. */
  #isSubscribed = false;
  /** Resolves when the server has answered the last request about the subscription, or is late. */
  declare answered: Promise<unknown> | undefined;
  /** Cancels the timer after which the lane is dropped. */
  cancelTimer = (): void => {};
  /** Gets the events of the last run that was started on the lane, once that is known. */
  declare tracker: RunTracker | undefined;
  /** The events that may belong to a run which was started on the lane and is not known yet. */
  declare events: RunEvent[] | undefined;

  /** @param credits How many credits a grant fills the lane's window up to. */
  constructor(
    link: Link,
    { clock, credits }: { clock: Clock; credits: number },
    onEvent: (event: DispatchEvent, lane: Lane) => void,
  ) {
    this.link = link;
    this.#allCredits = credits;
    link.sink = this.#feed = new CreditWindow(link, clock, {
      credits,
      onEvent: (event) => {
        onEvent(event, this);
        if (--this.#credits === 0) this.tracker?.stopFeeding();
      },
    });
  }

  /** Whether the lane receives the events of all runs, as soon as the server has subscribed it. */
  get isListening(): boolean {
    return this.#credits > 0 && this.link.isOpen;
  }

  /**
   * Asks the server for the events of all runs, or for no more of them. It carries that out before it
   * reads a later start.
   */
  listen(isWanted: boolean, deadline: number): void {
    if (!isWanted && !this.#isSubscribed) return;
    this.#isSubscribed = isWanted;
    this.#credits = isWanted ? this.#allCredits : 0;
    const method = isWanted ? "subscribe" : "unsubscribe";
    this.answered = this.link.request(channelRequest(method, "workflows"), deadline)
      .catch(() => this.#credits = 0);
  }

  /** Sends a `workflow.start`; resolves with its answer, which comes when the run has ended. */
  send(request: Omit<CallRequest, "method">): Promise<unknown> {
    if (this.isListening) {
      // A blocked server reads no grants, so grant everything now.
      this.#feed.topUp();
      this.#credits = this.#allCredits;
    }
    return this.link.request({ ...request, method: "workflow.start" });
  }
}
