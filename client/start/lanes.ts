import { decodeRun, isTerminal } from "../../protocol/entity.ts";
import type { DispatchEvent, RunEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import { getRun } from "../connection/requests.ts";
import { withDeadline, type WorkLimits } from "../connection/with_deadline.ts";
import { ConnectionError, deadlineExceeded, type Delivery } from "../errors.ts";
import { type RunTracker, trackRun } from "../follow/trackers.ts";
import { withRequestHook } from "../hooks.ts";
import type { CallOptions } from "../options.ts";
import type { Session } from "../session.ts";
import { type Lane, LanePool } from "./lane_pool.ts";
import { decodeStarted, PendingStart, type Started } from "./pending_start.ts";

/** How many runs to remember whose events may still arrive. */
const TRACKERS = 1_000;

/**
 * Starts workflows, each on its own connection. A server runs a workflow in the read loop of the
 * connection that started it: it answers when the run has ended, and reads nothing else until then.
 * The run is identified before that, by its `workflow.started` event and its input, in which the
 * server keeps the white space that marks it.
 */
export class Lanes {
  readonly #session: Session;
  readonly #pool: LanePool;
  readonly #starts = new Set<PendingStart>();
  /** The number of pending starts by name: every lane gets the events of every run. */
  readonly #names = new Map<string, number>();
  readonly #trackers = new Map<string, RunTracker>();
  /** The tracked runs whose start was answered. */
  readonly #answered = new Set<string>();
  /** Runs that were checked and belong to somebody else. */
  readonly #foreign = new Set<string>();
  #inFlight = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#pool = new LanePool(session, (event) => this.#onEvent(event));
    session.onClose.add((error) => this.#pool.close(error));
  }

  /** The number of starts and calls that are under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The tracker of a run: the one that its lane feeds if there is one, or else a new one. */
  tracker(runId: string): RunTracker {
    return this.#trackers.get(runId) ?? trackRun(this.#session, runId);
  }

  /**
   * Starts a run and resolves as soon as it is known.
   * @param input The input as JSON text.
   */
  start(what: string, name: string, input: string, options?: CallOptions): Promise<Started> {
    return this.#withLane(what, name, options, async (lane, signal) => {
      const start = new PendingStart(name, input, this.#session.random);
      this.#expect(start);
      // Its outcome goes to `start`.
      void this.#send(lane, what, start);
      try {
        const run = await abortable(start.found, signal);
        lane.runId = run.run_id;
        return run;
      } finally {
        this.#settle(start);
        if (this.#starts.size === 0) this.#foreign.clear();
      }
    });
  }

  /** Sends a `workflow.start` as it is and resolves with its answer, when the run has ended. */
  call(what: string, data: string | undefined, options?: CallOptions): Promise<unknown> {
    return this.#withLane(
      what,
      undefined,
      options,
      (lane, signal) => this.#pool.send(lane, { what, data, signal }),
    );
  }

  async #withLane<T>(
    what: string,
    subject: string | undefined,
    { signal, timeout }: CallOptions = {},
    use: (lane: Lane, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const session = this.#session;
    const deadline = session.deadline(timeout);
    const limits = (delivery: Delivery): WorkLimits => ({
      what,
      deadline,
      signal,
      timeoutError: () =>
        deadlineExceeded(what, "no sign of the run before the deadline", delivery),
    });
    this.#inFlight++;
    try {
      return await withRequestHook(
        session.hooks,
        { method: "workflow.start", subject },
        async () => {
          const lane = await withDeadline(session, limits("not-sent"), async (either) => {
            await session.ready(what, deadline, signal);
            return await this.#pool.acquire(what, either);
          });
          return await withDeadline(session, limits("unknown"), async (either) => {
            try {
              either.throwIfAborted();
              return await use(lane, either);
            } catch (error) {
              // A start that was given up may block its lane for as long as its run takes.
              if (either.aborted) this.#pool.drop(lane);
              throw error;
            }
          });
        },
      );
    } finally {
      this.#inFlight--;
    }
  }

  /** Sends a start and passes it the answer. */
  async #send(lane: Lane, what: string, start: PendingStart): Promise<void> {
    try {
      const answer = await this.#pool.send(lane, { what, data: start.data });
      const run = decodeStarted(answer, start.name);
      const tracker = this.#track(run.run_id);
      this.#answered.add(run.run_id);
      // A server that answers at once sends the run's later events elsewhere.
      if (!isTerminal(run.state)) tracker.stopFeeding();
      start.resolve(run);
    } catch (cause) {
      start.reject(cause);
      if (!(cause instanceof ConnectionError) || !start.run) return;
      const runId = start.run.run_id;
      this.#trackers.get(runId)?.stopFeeding();
      const { status, closedWith } = this.#session;
      if (!closedWith) status.emit({ type: "lane_lost", runId, cause });
    }
  }

  #expect(start: PendingStart): void {
    this.#starts.add(start);
    this.#names.set(start.name, (this.#names.get(start.name) ?? 0) + 1);
  }

  #settle(start: PendingStart): void {
    if (!this.#starts.delete(start)) return;
    const left = this.#names.get(start.name)! - 1;
    if (left > 0) this.#names.set(start.name, left);
    else this.#names.delete(start.name);
  }

  #onEvent(event: DispatchEvent): void {
    if (!("run_id" in event.data)) return;
    const { run_id, name } = event.data;
    if (event.type === "workflow.started" && !this.#trackers.has(run_id)) {
      if (this.#names.has(name) && !this.#foreign.has(run_id)) {
        this.#track(run_id);
        void this.#identify(run_id);
      }
    }
    this.#trackers.get(run_id)?.add(event as RunEvent);
  }

  #track(runId: string): RunTracker {
    let tracker = this.#trackers.get(runId);
    if (!tracker) {
      const onEnd = () => this.#pool.expectAnswer(runId);
      tracker = trackRun(this.#session, runId, { fed: true, onEnd });
      this.#trackers.set(runId, tracker);
      if (this.#trackers.size > TRACKERS) {
        const [oldest] = this.#trackers.keys();
        this.#trackers.get(oldest!)?.stopFeeding();
        this.#trackers.delete(oldest!);
        this.#answered.delete(oldest!);
      }
    }
    return tracker;
  }

  /** Reads a new run, to find out whether it belongs to a pending start. */
  async #identify(runId: string): Promise<void> {
    try {
      this.#match(runId, await this.#session.request(getRun(runId)));
    } catch (error) {
      // The answer to the start will identify the run.
      this.#session.reportAnomaly(error as Error);
    }
  }

  /** Finds the pending start of a run by comparing the inputs. */
  #match(runId: string, record: unknown): void {
    const { input } = record as { input?: unknown };
    const matches = [...this.#starts].filter((start) => start.storedInput === input);
    const [start] = matches;
    if (!start) {
      // The answer came first, so that the start is no longer pending.
      if (this.#answered.has(runId)) return;
      this.#trackers.delete(runId);
      this.#foreign.add(runId);
    } else if (start.isMarked || matches.length === 1) {
      const { name, state } = decodeRun(record);
      this.#settle(start);
      start.resolve({ run_id: runId, name, state });
    }
  }
}
