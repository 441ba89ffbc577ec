import type { DispatchEvent } from "../../protocol/event.ts";
import { inBrowser } from "../../runtime/browser.ts";
import { delay, monotonicNow } from "../../runtime/clock.ts";
import { fullJitter } from "../backoff.ts";
import type { CallRequest } from "../connection/call.ts";
import { closedError, ConnectionError, inContext } from "../errors.ts";
import {
  ANSWER_TIME,
  IDLE_LANES,
  LANE_IDLE_TIME,
  LISTENERS,
  OPEN_ATTEMPTS,
  SUBSCRIBE_TIME,
} from "../limits.ts";
import type { Session } from "../session.ts";
import { Lane } from "./lane.ts";

/**
 * How many lanes are opened at a time, so that each opens well within its deadline. Chromium delays
 * pending connections, and longer if there are more.
 */
const OPENINGS = inBrowser ? 4 : 64;

/** Opens lanes, lets some of them listen, and keeps a few idle ones for the next starts. */
export class LanePool {
  readonly #session: Session;
  readonly #onEvent: (event: DispatchEvent, lane: Lane) => void;
  readonly #lanes = new Set<Lane>();
  readonly #idle = new Set<Lane>();
  readonly #listeners = new Set<Lane>();
  /** How many more lanes may be opened now; below 0, how many starts wait for that. */
  #free = OPENINGS;
  readonly #waiting: (() => void)[] = [];
  /** Whether a start is pending, so that idle lanes go on listening. */
  #mustListen = false;

  /** @param onEvent Called with the events that listening lanes receive, each as often as it arrives. */
  constructor(session: Session, onEvent: (event: DispatchEvent, lane: Lane) => void) {
    this.#session = session;
    this.#onEvent = onEvent;
  }

  /** Takes an idle lane or opens a new one; the lane is then busy. */
  async acquire(what: string, signal: AbortSignal): Promise<Lane> {
    const session = this.#session;
    const owner = { onAnomaly: (cause: Error) => session.reportAnomaly(cause) };
    for (let attempt = 1;; attempt++) {
      if (--this.#free < 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      try {
        signal.throwIfAborted();
        const idle = this.#takeIdle();
        if (idle) return idle;
        const lane = new Lane(await session.openLink(owner, signal), session, this.#onEvent);
        this.#lanes.add(lane);
        return lane;
      } catch (cause) {
        if (!(cause instanceof ConnectionError) || attempt === OPEN_ATTEMPTS) {
          throw inContext(what, cause);
        }
      } finally {
        this.#free++;
        this.#waiting.shift()?.();
      }
      await delay(fullJitter(attempt, session.random()), { clock: session.clock, signal });
    }
  }

  /** Sends a `workflow.start` on a busy lane, and releases the lane when the answer has come. */
  async send(lane: Lane, request: Omit<CallRequest, "method">): Promise<unknown> {
    try {
      return await lane.send(request);
    } finally {
      if (lane.link.isOpen) this.#release(lane);
      else this.drop(lane);
    }
  }

  /**
   * Makes sure that the run of the next start on this lane is noticed: the lane listens, unless
   * enough others do. Those must be subscribed before the run starts, so this waits until they are.
   */
  async listen(lane: Lane): Promise<void> {
    while (!lane.isListening) {
      const listeners = [...this.#listeners].filter(({ isListening }) => isListening);
      if (listeners.length < LISTENERS) {
        this.#listeners.add(lane);
        return lane.listen(true, this.#deadline(SUBSCRIBE_TIME));
      }
      await Promise.all(listeners.map(({ answered }) => answered));
      if (listeners.every(({ isListening }) => isListening)) return;
    }
  }

  /**
   * Sets whether a start is pending. If none is, nobody needs to hear of runs, and idle lanes stop
   * listening.
   */
  keepListening(mustListen: boolean): void {
    this.#mustListen = mustListen;
    if (mustListen) return;
    for (const lane of this.#idle) {
      if (this.#idle.size > IDLE_LANES) void this.#retire(lane);
      else this.#unsubscribe(lane);
    }
  }

  /** Makes a busy lane idle, or retires it if there are enough idle ones. */
  #release(lane: Lane): void {
    lane.cancelTimer();
    const isNeeded = lane.isListening && this.#mustListen;
    if (!isNeeded && this.#idle.size >= IDLE_LANES) return void this.#retire(lane);
    if (!isNeeded) this.#unsubscribe(lane);
    this.#idle.add(lane);
    lane.cancelTimer = this.#after(LANE_IDLE_TIME, () => void this.#retire(lane));
  }

  #unsubscribe(lane: Lane): void {
    this.#listeners.delete(lane);
    lane.listen(false, this.#deadline(SUBSCRIBE_TIME));
  }

  /**
   * Drops an unused lane as soon as the server has unsubscribed it. When a subscribed connection drops
   * while an event is published to it, servers close the connection that caused the event.
   */
  async #retire(lane: Lane): Promise<void> {
    this.#idle.delete(lane);
    this.#unsubscribe(lane);
    await lane.answered;
    this.drop(lane);
  }

  /**
   * Removes a lane and closes its connection. If a run blocks it, the server reads the `unsubscribe`
   * only once the run has ended, and then the end of the connection.
   */
  drop(lane: Lane, cause: Error = closedError()): void {
    lane.cancelTimer();
    this.#lanes.delete(lane);
    this.#idle.delete(lane);
    this.#unsubscribe(lane);
    void lane.link.close(cause, true);
  }

  /** Drops a lane whose run has ended, unless it answers soon. */
  expectAnswer(lane: Lane): void {
    // The answer may have come just now, so that the lane is idle.
    lane.cancelTimer();
    const text = `no answer within ${ANSWER_TIME} ms after its run`;
    const drop = () => this.drop(lane, new ConnectionError(text, "connection_lost"));
    lane.cancelTimer = this.#after(ANSWER_TIME, drop);
  }

  /** Drops every lane, unused listeners when the server has unsubscribed them; their runs go on. */
  close(cause: Error): void {
    for (const lane of this.#lanes) {
      if (this.#idle.has(lane) && lane.isListening) void this.#retire(lane);
      else this.drop(lane, cause);
    }
  }

  #takeIdle(): Lane | undefined {
    for (const lane of this.#idle) {
      lane.cancelTimer();
      this.#idle.delete(lane);
      if (lane.link.isOpen) return lane;
      this.drop(lane);
    }
  }

  #after(ms: number, act: () => void): () => void {
    return this.#session.deadlines.add(this.#deadline(ms), act);
  }

  #deadline(ms: number): number {
    return monotonicNow(this.#session.clock) + ms;
  }
}
