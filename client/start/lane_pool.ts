import type { DispatchEvent } from "../../protocol/event.ts";
import { inBrowser } from "../../runtime/browser.ts";
import { delay, monotonicNow } from "../../runtime/clock.ts";
import { fullJitter } from "../backoff.ts";
import type { CallRequest } from "../connection/call.ts";
import type { Link } from "../connection/link.ts";
import { channelRequest } from "../connection/requests.ts";
import { ConnectionError, inContext } from "../errors.ts";
import type { Session } from "../session.ts";
import { CreditWindow } from "../subscribe/credits.ts";
import { Semaphore } from "./semaphore.ts";

/** How many milliseconds an idle lane is kept for the next start, and how many lanes are kept. */
const IDLE_TIME = 5_000;
const IDLE_LANES = 4;

/**
 * How many milliseconds a lane may take to answer after its run has ended. A blocked lane answers no
 * ping, so this is how the loss of its peer is noticed.
 */
const ANSWER_TIME = 5_000;

/** How many lanes a browser opens at a time: Chromium delays pending connections, the more the longer. */
const BROWSER_OPENINGS = 4;

/** How often to try to open a lane. */
const OPEN_ATTEMPTS = 3;

/** A connection for one `workflow.start` at a time. */
export class Lane {
  readonly link: Link;
  readonly #feed: CreditWindow;
  /** The run that the lane waits for, once it is known. */
  runId: string | undefined;
  /** Cancels the timer after which the lane is dropped. */
  cancelTimer = () => {};

  constructor(link: Link, feed: CreditWindow) {
    this.link = link;
    this.#feed = feed;
  }

  /** Sends a `workflow.start`; resolves with its answer, which comes when the run has ended. */
  send(request: Omit<CallRequest, "method">): Promise<unknown> {
    // The server serves requests in order, so it subscribes before the run starts. If the token may
    // not subscribe, the answer alone reveals the run.
    this.link.request(channelRequest("subscribe", "workflows")).catch(() => {});
    // A blocked server reads no grants, so grant everything now.
    this.#feed.topUp();
    return this.link.request({ ...request, method: "workflow.start" });
  }
}

/** Opens lanes and keeps a few idle ones for the next starts. */
export class LanePool {
  readonly #session: Session;
  readonly #onEvent: (event: DispatchEvent) => void;
  readonly #idle = new Set<Lane>();
  readonly #busy = new Set<Lane>();
  readonly #openings = new Semaphore(inBrowser ? BROWSER_OPENINGS : Infinity);

  /** @param onEvent Called with the events of all lanes. */
  constructor(session: Session, onEvent: (event: DispatchEvent) => void) {
    this.#session = session;
    this.#onEvent = onEvent;
  }

  /** Takes an idle lane or opens a new one; the lane is then busy. */
  async acquire(what: string, signal: AbortSignal): Promise<Lane> {
    const lane = this.#takeIdle() ?? await this.#open(what, signal);
    this.#busy.add(lane);
    return lane;
  }

  /** Sends a `workflow.start` on a busy lane, and releases the lane when the answer has come. */
  async send(lane: Lane, request: Omit<CallRequest, "method">): Promise<unknown> {
    try {
      const answer = await lane.send(request);
      this.#release(lane);
      return answer;
    } catch (error) {
      if (lane.link.isOpen && !request.signal?.aborted) this.#release(lane);
      else this.#remove(lane);
      throw error;
    }
  }

  /** Makes a busy lane idle, or drops it if there are enough idle ones. */
  #release(lane: Lane): void {
    if (!this.#remove(lane)) return;
    if (this.#idle.size >= IDLE_LANES || this.#session.closedWith) return this.drop(lane);
    lane.link.request(channelRequest("unsubscribe", "workflows")).catch(() => {});
    lane.runId = undefined;
    this.#idle.add(lane);
    this.#dropAfter(lane, IDLE_TIME);
  }

  /** Removes a lane and closes its connection. */
  drop(
    lane: Lane,
    cause: Error = new ConnectionError("The connection is no longer needed", "closed"),
  ): void {
    this.#remove(lane);
    void lane.link.close(cause, true);
  }

  /** Drops the lane of a run that has ended, unless the lane answers soon. */
  expectAnswer(runId: string): void {
    for (const lane of this.#busy) {
      if (lane.runId !== runId) continue;
      const text = `no answer for ${ANSWER_TIME} ms after its run has ended`;
      this.#dropAfter(lane, ANSWER_TIME, new ConnectionError(text, "connection_lost"));
    }
  }

  /** Drops every lane; their runs go on. */
  close(cause: Error): void {
    for (const lane of [...this.#busy, ...this.#idle]) this.drop(lane, cause);
  }

  #takeIdle(): Lane | undefined {
    for (const lane of this.#idle) {
      this.#remove(lane);
      if (lane.link.isOpen) return lane;
    }
  }

  async #open(what: string, signal: AbortSignal): Promise<Lane> {
    const session = this.#session;
    const { clock, random } = session;
    for (let attempt = 1;; attempt++) {
      try {
        const link = await this.#openings.run(signal, () =>
          session.openLink({
            onAnomaly: (cause) => session.reportAnomaly(cause),
            onLost: () => {},
          }, signal));
        const feed = new CreditWindow(link, clock, {
          credits: session.credits,
          onEvent: this.#onEvent,
        });
        link.sink = feed;
        return new Lane(link, feed);
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (!(cause instanceof ConnectionError) || session.closedWith) throw cause;
        if (attempt === OPEN_ATTEMPTS) throw inContext(what, cause);
        await delay(fullJitter(attempt, random()), { clock, signal });
      }
    }
  }

  #dropAfter(lane: Lane, ms: number, cause?: Error): void {
    const { deadlines, clock } = this.#session;
    lane.cancelTimer = deadlines.add(monotonicNow(clock) + ms, () => this.drop(lane, cause));
  }

  /** Removes a lane from the pool; returns whether it was busy. */
  #remove(lane: Lane): boolean {
    lane.cancelTimer();
    lane.cancelTimer = () => {};
    this.#idle.delete(lane);
    return this.#busy.delete(lane);
  }
}
