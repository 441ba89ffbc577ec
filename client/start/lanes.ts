import { decodeBase64 } from "../../protocol/base64.ts";
import { isTerminal } from "../../protocol/entity.ts";
import type { RunEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import { getRun, textFields } from "../connection/requests.ts";
import type { Request } from "../connection/transport.ts";
import { withDeadline, type WorkLimits } from "../connection/with_deadline.ts";
import { ConnectionError } from "../errors.ts";
import { type RunTracker, trackRun } from "../follow/trackers.ts";
import { withRequestHook } from "../hooks.ts";
import { TRACKERS } from "../limits.ts";
import type { CallOptions } from "../options.ts";
import type { Session } from "../session.ts";
import type { Lane } from "./lane.ts";
import { type PendingStart, prepareStart, type Started } from "./pending_start.ts";
import { LanePool } from "./lane_pool.ts";

/** A run's record as the server sends it. */
interface RawRun {
  name: string;
  /** The base64 of the input's text. */
  input?: string;
  state?: string;
}

/**
 * Starts workflows, each on its own connection. A server runs a workflow in the read loop of the
 * connection that started it: it answers when the run has ended, and reads nothing else until then.
 *
 * The answer proves whose run it is. Before that only the input can: the server stores its text as it
 * was sent, including the mark that no other start has. So each run that a lane hears of is read, and
 * belongs to the start with its input.
 */
export class Lanes {
  readonly #session: Session;
  readonly #pool: LanePool;
  /** The pending starts with a mark, by input. */
  readonly #starts = new Map<string, PendingStart>();
  /** The runs that lanes have noticed while starts were pending, and that may belong to one. */
  readonly #candidates = new Set<string>();
  /** The trackers of runs whose lane listens. */
  readonly #trackers = new Map<string, RunTracker>();
  /** The lanes of the runs that are known and have no answer yet. */
  readonly #running = new Map<string, Lane>();
  #inFlight = 0;

  constructor(session: Session) {
    this.#session = session;
    this.#pool = new LanePool(session, (event, lane) => this.#onEvent(event as RunEvent, lane));
    session.onClose.add((error) => {
      this.#trackers.clear();
      this.#pool.close(error);
    });
  }

  /** The number of starts and calls that are under way. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The tracker of a run: the one that its lane feeds if there is one, or else a new one. */
  tracker(runId: string): RunTracker {
    return this.#trackers.get(runId) ?? this.#createTracker(runId);
  }

  /**
   * Starts a run and resolves as soon as it is known.
   * @param input The input as JSON text.
   */
  async start(
    what: string,
    name: string,
    input: string,
    options?: CallOptions,
  ): Promise<Started> {
    const start = prepareStart(name, input);
    if (start.markedInput) {
      this.#starts.set(start.markedInput, start);
      this.#pool.keepListening(true);
    }
    try {
      return await this.#withLane(what, start, options, (lane, signal) => {
        start.lane = lane;
        // Its outcome goes to `start`.
        void this.#send(lane, what, start);
        return abortable(start.found.promise, signal);
      });
    } finally {
      this.#settle(start);
    }
  }

  /** Sends a `workflow.start` as it is and resolves with its answer, when the run has ended. */
  call({ what, data, ...options }: Request): Promise<unknown> {
    return this.#withLane(
      what,
      undefined,
      options,
      (lane, signal) => abortable(this.#pool.send(lane, { what, data }), signal),
    );
  }

  async #withLane<T>(
    what: string,
    start: PendingStart | undefined,
    { signal, timeout = this.#session.timeout }: CallOptions = {},
    use: (lane: Lane, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const session = this.#session;
    const limits: WorkLimits = { what, timeout, signal, awaited: "sign of the run" };
    const work = async (either: AbortSignal) => {
      await session.ready(limits);
      const lane = await this.#pool.acquire(what, either);
      try {
        if (start?.markedInput) {
          lane.events = [];
          await this.#pool.listen(lane);
        }
        either.throwIfAborted();
        limits.delivery = "unknown";
        return await use(lane, either);
      } catch (error) {
        // A start that was given up may block its lane for as long as its run takes.
        if (either.aborted) this.#pool.drop(lane);
        throw error;
      }
    };
    this.#inFlight++;
    try {
      return await withRequestHook(
        session.hooks,
        { method: "workflow.start", subject: start?.name },
        () => withDeadline(session, limits, work),
      );
    } finally {
      this.#inFlight--;
    }
  }

  /** Sends a start and passes it the answer. */
  async #send(lane: Lane, what: string, start: PendingStart): Promise<void> {
    try {
      const answer = await this.#pool.send(lane, { what, data: start.data });
      const { run_id } = textFields(what, answer, "run_id");
      const { state = "running" } = answer as Partial<Started>;
      this.#identify(start, { run_id, state });
      // A server that answers at once sends the run's later events elsewhere.
      if (!isTerminal(state)) this.#trackers.get(run_id)?.stopFeeding();
    } catch (cause) {
      start.found.reject(cause);
      const { runId } = start;
      if (!(cause instanceof ConnectionError) || !runId) return;
      this.#trackers.get(runId)?.stopFeeding();
      // A start that was given up, or a client that has ended, dropped the lane itself.
      if (this.#session.closedWith || cause.code === "closed") return;
      this.#session.status.emit({ type: "lane_lost", runId, cause });
    } finally {
      this.#running.delete(start.runId!);
    }
  }

  #settle({ markedInput }: PendingStart): void {
    this.#starts.delete(markedInput!);
    if (this.#starts.size) return;
    this.#candidates.clear();
    this.#pool.keepListening(false);
  }

  #onEvent(event: RunEvent, lane: Lane): void {
    const { run_id, name } = event.data;
    const tracker = this.#trackers.get(run_id);
    // Another lane may have missed events, or be late.
    if (tracker) return void (lane.tracker === tracker && tracker.onEvent(event));
    if (!run_id || this.#running.has(run_id)) return;
    if (!this.#candidates.has(run_id)) {
      if (![...this.#starts.values()].some((start) => start.name === name)) return;
      this.#candidates.add(run_id);
      void this.#read(run_id);
    }
    lane.events?.push(event);
  }

  /** Reads a run, to find out whether it belongs to a pending start. */
  async #read(run_id: string): Promise<void> {
    try {
      const record = await this.#session.request(getRun(run_id)) as RawRun;
      const { name, input, state = "running" } = record;
      const start = this.#starts.get(decodeBase64(input ?? ""));
      if (start?.name === name) this.#identify(start, { run_id, state });
    } catch (error) {
      // The run's next event is a reason to read it again. The answer names the run in any case.
      this.#candidates.delete(run_id);
      this.#session.reportAnomaly(error as Error);
    }
  }

  /**
   * Settles a start whose run is known. The run's events are kept if the start's lane delivers all
   * of them.
   */
  #identify(start: PendingStart, run: Started): void {
    const runId = start.runId = run.run_id;
    const lane = start.lane!;
    this.#running.set(runId, lane);
    start.found.resolve(run);
    if (!lane.isListening || !start.markedInput || this.#trackers.has(runId)) return;
    const tracker = lane.tracker = this.#createTracker(runId, true);
    this.#trackers.set(runId, tracker);
    const events = lane.events!.filter(({ data }) => data.run_id === runId);
    lane.events = undefined;
    if (events[0] && events[0].type !== "workflow.started") tracker.stopFeeding();
    for (const event of events) tracker.add(event);
    if (this.#trackers.size <= TRACKERS) return;
    const [[oldestId, oldest]] = this.#trackers as unknown as [[string, RunTracker]];
    oldest.stopFeeding();
    this.#trackers.delete(oldestId);
  }

  #createTracker(runId: string, fed?: boolean): RunTracker {
    const onEnd = () => {
      const lane = this.#running.get(runId);
      if (lane) this.#pool.expectAnswer(lane);
    };
    return trackRun(this.#session, runId, fed, onEnd);
  }
}
