import type { TimelineEntry, WorkflowRun } from "../protocol/entity.ts";
import type { RunEvent } from "../protocol/event.ts";
import { getRun, getTimeline, send } from "./connection/requests.ts";
import type { Transport } from "./connection/transport.ts";
import { EntityHandle, type Follower } from "./follow/entity_handle.ts";
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
export class Run extends EntityHandle<WorkflowRun, RunEvent> {
  readonly #transport: Transport;
  /** The run's id. */
  declare readonly run_id: string;
  /** The workflow's name; empty on a handle that was created from an id. */
  declare readonly name: string;
  /** The last state that was seen: `running` at first. */
  declare readonly state: string;

  /** Called by `startWorkflow()` and `client.run(id)`. */
  constructor(
    transport: Transport,
    createFollower: (runId: string) => Follower<WorkflowRun, RunEvent>,
    runId: string,
    name: string,
    state: string,
  ) {
    super(transport, `workflow run '${runId}'`, () => createFollower(runId));
    this.#transport = transport;
    this.run_id = runId;
    this.name = name;
    this.state = state;
  }

  /** Reads the run's record. */
  async get(options?: CallOptions): Promise<WorkflowRun> {
    return await send(this.#transport, getRun(this.run_id, options));
  }

  /** Reads the run's checkpoints, in the order in which the run reached them. */
  async timeline(options?: CallOptions): Promise<TimelineEntry[]> {
    return await send(this.#transport, getTimeline(this.run_id, options));
  }
}
