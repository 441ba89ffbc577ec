import type { DispatchEvent, RunEvent } from "../../protocol/event.ts";
import { encodeBase64 } from "../../protocol/base64.ts";
import { decodeRun, isTerminal } from "../../protocol/entity.ts";
import {
  ConnectionError,
  delay,
  DispatchError,
  fullJitter,
  inBrowser,
  runRequest,
  said,
} from "../_core.ts";
import { channelRequest } from "../subscribe/event_router.ts";
import { type RunTracker, trackRun } from "../follow/trackers.ts";
import { Feed } from "../subscribe/credits.ts";
import { Gate } from "./semaphore.ts";
import type { Started, StartRequest } from "./starts.ts";
import type { Link } from "../connection/link.ts";
import type { Session } from "../session.ts";

/** A start whose run is not known yet. */
interface Start {
  name: string;
  /** The input as a server keeps it: base64 of its text, byte for byte. */
  encoded: string;
  /** Whether the text is like no other. */
  marked: boolean;
  found(run: Started): void;
}

/** What is known of a lane that waits for the answer to a start. */
interface Busy {
  runId?: string;
  /** Forgets that it is to be dropped soon. */
  forget(): void;
}

/** How long an idle lane is kept for the next start, in milliseconds, and how many are. */
const IDLE_TIME = 5_000;
const IDLE_LANES = 4;

/**
 * How long after its run has ended a lane may take to answer, in milliseconds. It is asked nothing
 * while it is blocked, so that one whose peer is gone in silence is known by this.
 */
const ANSWER_TIME = 5_000;

/** How many runs are remembered whose events may still come. */
const TRACKERS = 1_000;

/** How many lanes a browser opens at a time: Chromium delays each more, the more are pending. */
const BROWSER_OPENINGS = 4;

/** How often a lane is tried to be opened. */
const OPEN_ATTEMPTS = 3;

/**
 * Starts workflows, each on a connection of its own: a server runs a workflow in the read loop of
 * the connection that started it, answers when the run has ended, and reads nothing else until then.
 * Which run is ours is known early from `workflow.started` and the run's input, which keeps the
 * white space that marks it.
 */
export class Lanes {
  readonly #session: Session;
  readonly #idle = new Map<Link, () => void>();
  readonly #busy = new Map<Link, Busy>();
  readonly #opening = new Gate(inBrowser ? BROWSER_OPENINGS : Infinity);
  readonly #starts = new Set<Start>();
  /** How many starts there are of each name: every lane hears of every run. */
  readonly #names = new Map<string, number>();
  readonly #trackers = new Map<string, RunTracker>();
  /** Runs whose start was answered, among those that are followed. */
  readonly #answered = new Set<string>();
  /** Runs that were looked at and are not ours. */
  readonly #strangers = new Set<string>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** What follows a run: the tracker that its lane feeds, where one does. */
  tracker(runId: string): RunTracker {
    return this.#trackers.get(runId) ?? trackRun(this.#session, runId);
  }

  /** Starts a run and resolves as soon as its id is known. */
  start(request: StartRequest, name: string, input: string): Promise<Started> {
    const marked = input.startsWith("{") || input.startsWith("[");
    const text = marked ? mark(input, this.#session.random) : input;
    const { what, signal } = request;
    return this.#withLane(request, async (lane) => {
      const found = Promise.withResolvers<Started>();
      const start = { name, encoded: encodeBase64(text), marked, found: found.resolve };
      this.#expect(start);
      let runId: string | undefined;
      const answer = this.#run(lane, what, `{"name":${JSON.stringify(name)},"input":${text}}`);
      answer.then((data) => {
        const run = started(data, name);
        const tracker = this.#follow(run.run_id);
        this.#answered.add(run.run_id);
        // A server that answers at once leaves the rest of the run to be found out.
        if (!isTerminal(run.state)) tracker.unfed();
        found.resolve(run);
      }).catch((cause) => {
        found.reject(cause);
        if (!(cause instanceof ConnectionError) || runId === undefined) return;
        this.#trackers.get(runId)?.unfed();
        if (!this.#session.over) this.#session.status.emit({ type: "lane_lost", runId, cause });
      });
      const onAbort = () => found.reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        const run = await found.promise;
        runId = run.run_id;
        const busy = this.#busy.get(lane);
        if (busy) busy.runId = runId;
        return run;
      } finally {
        signal.removeEventListener("abort", onAbort);
        this.#settle(start);
        if (this.#starts.size === 0) this.#strangers.clear();
      }
    });
  }

  #expect(start: Start): void {
    this.#starts.add(start);
    this.#names.set(start.name, (this.#names.get(start.name) ?? 0) + 1);
  }

  #settle(start: Start): void {
    if (!this.#starts.delete(start)) return;
    const left = this.#names.get(start.name)! - 1;
    if (left > 0) this.#names.set(start.name, left);
    else this.#names.delete(start.name);
  }

  /** Sends a `workflow.start` as it is and resolves with its answer. */
  call(request: StartRequest, data: string | undefined): Promise<unknown> {
    const { what, signal } = request;
    return this.#withLane(request, (lane) => this.#run(lane, what, data, signal));
  }

  /** Drops every lane; what runs goes on. */
  close(cause: Error): void {
    for (const lane of [...this.#busy.keys(), ...this.#idle.keys()]) this.#drop(lane, cause);
  }

  async #withLane<T>(request: StartRequest, use: (lane: Link) => Promise<T>): Promise<T> {
    const { what, signal } = request;
    const lane = this.#take() ?? await this.#open(what, signal);
    this.#busy.set(lane, { forget: () => {} });
    request.isSent = true;
    try {
      return await use(lane);
    } catch (error) {
      // What was given up may block its lane for as long as the run takes.
      if (signal.aborted) this.#drop(lane);
      throw error;
    }
  }

  #take(): Link | undefined {
    for (const lane of this.#idle.keys()) {
      this.#forget(lane);
      if (lane.isOpen) return lane;
    }
  }

  async #open(what: string, signal: AbortSignal): Promise<Link> {
    const { clock, random } = this.#session;
    for (let attempt = 1;; attempt++) {
      try {
        const lane = await this.#opening.run(signal, () =>
          this.#session.openLink({
            onAnomaly: (cause) => this.#session.anomaly(cause),
            onLost: () => {},
          }, signal));
        lane.feed = new Feed(lane, clock, this.#session.credits, (event) => this.#seen(event));
        return lane;
      } catch (cause) {
        if (signal.aborted) throw signal.reason;
        if (!(cause instanceof ConnectionError) || this.#session.over) throw cause;
        if (attempt === OPEN_ATTEMPTS) throw said(what, cause);
        await delay(fullJitter(attempt, random()), { clock, signal });
      }
    }
  }

  /** Sends a start on a lane, which is free again when the answer has come. */
  async #run(
    lane: Link,
    what: string,
    data: string | undefined,
    signal?: AbortSignal,
  ): Promise<unknown> {
    // Served in order: the subscription is there before the run begins. Without the right to it
    // the run's id is known from the answer alone.
    lane.request(channelRequest("subscribe", "workflows")).catch(() => {});
    // It cannot be topped up while it is blocked.
    lane.feed?.topUp();
    try {
      const answer = await lane.request({ what, method: "workflow.start", data, signal });
      this.#free(lane);
      return answer;
    } catch (error) {
      if (lane.isOpen && !signal?.aborted) this.#free(lane);
      else this.#forget(lane);
      throw error;
    }
  }

  #free(lane: Link): void {
    if (!this.#forget(lane)) return;
    if (this.#idle.size >= IDLE_LANES || this.#session.over) return this.#drop(lane);
    lane.request(channelRequest("unsubscribe", "workflows")).catch(() => {});
    const { deadlines, clock } = this.#session;
    this.#idle.set(lane, deadlines.add(clock.now() + IDLE_TIME, () => this.#drop(lane)));
  }

  /** A run was seen to have ended: its lane is to answer soon. */
  #ended(runId: string): void {
    const { deadlines, clock } = this.#session;
    for (const [lane, busy] of this.#busy) {
      if (busy.runId !== runId) continue;
      busy.forget = deadlines.add(clock.now() + ANSWER_TIME, () => {
        const text = `no answer for ${ANSWER_TIME} ms after its run has ended`;
        this.#drop(lane, new ConnectionError(text, "connection_lost"));
      });
    }
  }

  /** A lane is neither busy nor idle any more; gives whether it was busy. */
  #forget(lane: Link): boolean {
    const busy = this.#busy.get(lane);
    busy?.forget();
    this.#busy.delete(lane);
    this.#idle.get(lane)?.();
    this.#idle.delete(lane);
    return busy !== undefined;
  }

  #drop(
    lane: Link,
    cause: Error = new ConnectionError("The connection is no longer needed", "closed"),
  ): void {
    this.#forget(lane);
    void lane.close(cause, true);
  }

  #seen(event: DispatchEvent): void {
    if (!("run_id" in event.data)) return;
    const { run_id, name } = event.data;
    if (event.type === "workflow.started" && !this.#trackers.has(run_id)) {
      if (this.#names.has(name) && !this.#strangers.has(run_id)) {
        this.#follow(run_id);
        void this.#identify(run_id);
      }
    }
    this.#trackers.get(run_id)?.add(event as RunEvent);
  }

  #follow(runId: string): RunTracker {
    let tracker = this.#trackers.get(runId);
    if (!tracker) {
      tracker = trackRun(this.#session, runId, true, () => this.#ended(runId));
      this.#trackers.set(runId, tracker);
      if (this.#trackers.size > TRACKERS) {
        const [oldest] = this.#trackers.keys();
        this.#trackers.get(oldest!)?.unfed();
        this.#trackers.delete(oldest!);
        this.#answered.delete(oldest!);
      }
    }
    return tracker;
  }

  /** Looks at a new run: is its input that of one of our starts? */
  async #identify(run_id: string): Promise<void> {
    let record: unknown;
    try {
      record = await this.#session.request(runRequest(run_id));
    } catch (error) {
      // The answer will tell.
      return this.#session.anomaly(error as Error);
    }
    const { input } = record as { input?: unknown };
    const ours = [...this.#starts].filter((start) => start.encoded === input);
    const [start] = ours;
    if (!start) {
      // The answer was quicker, and its start is no longer looked for.
      if (this.#answered.has(run_id)) return;
      this.#trackers.delete(run_id);
      this.#strangers.add(run_id);
    } else if (start.marked || ours.length === 1) {
      this.#settle(start);
      const { name, state } = decodeRun(record);
      start.found({ run_id, name, state });
    }
  }
}

function started(data: unknown, name: string): Started {
  const answer = data as Partial<Started> | undefined;
  if (typeof answer?.run_id !== "string") {
    throw new DispatchError(
      `Cannot start workflow '${name}': the answer names no run`,
      "bad_answer",
    );
  }
  return { run_id: answer.run_id, name: answer.name ?? name, state: answer.state ?? "running" };
}

/** How many characters of white space tell one input from all others. */
const MARK_LENGTH = 48;

/** Puts white space before the last bracket of an object's or array's text. */
function mark(text: string, random: () => number): string {
  let space = "";
  for (let i = 0; i < MARK_LENGTH; i++) space += random() < 0.5 ? " " : "\t";
  return text.slice(0, -1) + space + text.slice(-1);
}
