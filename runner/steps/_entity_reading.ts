import type { JobRecord, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { type Entity, jobResult, runResult } from "../events/results.ts";
import type { StepContext } from "./context.ts";

/** A job or run as it was read from the server. */
export interface EntityReading {
  /** Its state. */
  state: string;
  /** The result that goes under a step's id. */
  result: Record<string, unknown>;
  /** The job; absent for a run. */
  job?: JobRecord;
  /** The run; absent for a job. */
  run?: WorkflowRun;
  /** The checkpoints of a run; empty for a job. */
  timeline: readonly TimelineEntry[];
}

/** Reads a job or run from the server. */
export async function readEntity(entity: Entity, context: StepContext): Promise<EntityReading> {
  const { client, callOptions } = context;
  const events = context.eventsOf(entity);
  if (entity.kind === "job") {
    const job = await client.getJob(entity.id, callOptions);
    return { state: job.state, job, timeline: [], result: jobResult(job, events) };
  }
  const run = await client.getWorkflow(entity.id, callOptions);
  // The timeline is read after the state, so that it is complete for a run that has ended.
  const timeline = await client.workflowTimeline(entity.id, callOptions);
  return { state: run.state, run, timeline, result: runResult(run, timeline, events) };
}

/** Returns the name of a job or run in messages: `` run `order-payment` (run_1) ``. */
export function entityTitle({ job, run }: EntityReading): string {
  const entity = job ?? run!;
  return `${job ? "job" : "run"} \`${entity.name}\` (${entity.id})`;
}

/** Opens the stream of a job's or run's events. */
export function entityEvents(
  { kind, id }: Entity,
  { client }: StepContext,
  signal: AbortSignal,
): AsyncIterable<unknown> {
  return kind === "job" ? client.job(id).events({ signal }) : client.run(id).events({ signal });
}
