import type { TimelineEntry, WorkflowRun } from "../protocol/entity.ts";
import type { RunEvent } from "../protocol/event.ts";
import type { Followed } from "./follow/entity_handle.ts";
import { getRun, getTimeline } from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions } from "./options.ts";

/** A workflow run on its way, as `startWorkflow` gives it back. */
export class Run {
  readonly #session: Transport;
  readonly #followed: Followed<WorkflowRun, RunEvent>;
  readonly #state: string;
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name; empty on a handle made from an id alone. */
  readonly name: string;

  /** Made by `startWorkflow` and `client.run(id)`. */
  constructor(
    session: Transport,
    id: string,
    name: string,
    state: string,
    followed: Followed<WorkflowRun, RunEvent>,
  ) {
    this.#session = session;
    this.#followed = followed;
    this.run_id = id;
    this.name = name;
    this.#state = state;
  }

  /** The last state that was seen: `running` at first. */
  get state(): string {
    return this.#followed.state ?? this.#state;
  }

  /** Reads the run as it is now. */
  get(options?: CallOptions): Promise<WorkflowRun> {
    return getRun(this.#session, this.run_id, options);
  }

  /** Reads the run's checkpoints, in the order they were reached. */
  timeline(options?: CallOptions): Promise<TimelineEntry[]> {
    return getTimeline(this.#session, this.run_id, options);
  }

  /**
   * Resolves with the run once it has completed.
   *
   * @throws {RunFailedError} When it failed.
   * @throws {TimeoutError} When `timeout` milliseconds have passed; without it there is no deadline.
   */
  wait(options?: CallOptions): Promise<WorkflowRun> {
    return this.#followed.wait(options);
  }

  /** The run's events from the first on, ended by `workflow.completed` or `workflow.failed`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return this.#followed.events(options);
  }
}
