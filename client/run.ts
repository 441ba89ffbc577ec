import type { TimelineEntry, WorkflowRun } from "../protocol/entity.ts";
import type { RunEvent } from "../protocol/event.ts";
import { getRun, getTimeline, send } from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import { EntityHandle, type Follower } from "./follow/entity_handle.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions } from "./options.ts";

/**
 * A handle on one workflow run.
 *
 * @example
 * ```ts
 * import { defineWorkflow } from "@dispatch/sdk/dev";
 * import { createTestDispatch } from "@dispatch/sdk/testing";
 * import { strict as assert } from "node:assert";
 *
 * const greet = defineWorkflow("greet", (wf) => wf.step("say hello", () => "hello"));
 * await using env = await createTestDispatch({ workflows: [greet] });
 * const run = await env.client.startWorkflow("greet");
 * await run.wait({ timeout: 60_000 });
 * const [step] = await run.timeline();
 * assert.equal(step?.step_name, "say hello");
 * ```
 */
export class Run {
  readonly #transport: Transport;
  readonly #handle: EntityHandle<WorkflowRun, RunEvent>;
  readonly #initialState: string;
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name; empty on a handle that was created from an id. */
  readonly name: string;

  /** Called by `startWorkflow()` and `client.run(id)`. */
  constructor(
    transport: Transport,
    createFollower: (runId: string) => Follower<WorkflowRun, RunEvent>,
    runId: string,
    name: string,
    state: string,
  ) {
    this.#transport = transport;
    this.#handle = new EntityHandle(
      transport,
      `workflow run '${runId}'`,
      () => createFollower(runId),
    );
    this.run_id = runId;
    this.name = name;
    this.#initialState = state;
  }

  /** The last state that was seen: `running` at first. */
  get state(): string {
    return this.#handle.state ?? this.#initialState;
  }

  /** Reads the run's record. */
  get(options?: CallOptions): Promise<WorkflowRun> {
    return send(this.#transport, getRun(this.run_id, options));
  }

  /** Reads the run's checkpoints, in the order in which the run reached them. */
  timeline(options?: CallOptions): Promise<TimelineEntry[]> {
    return send(this.#transport, getTimeline(this.run_id, options));
  }

  /**
   * Resolves with the run's record once it has completed.
   *
   * @throws {RunFailedError} If the run failed.
   * @throws {TimeoutError} If `timeout` milliseconds have passed. The default is no timeout.
   */
  wait(options?: CallOptions): Promise<WorkflowRun> {
    return this.#handle.wait(options);
  }

  /** Reads the run's events from the first to the last, `workflow.completed` or `workflow.failed`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return this.#handle.events(options);
  }
}
