import {
  decodeRun,
  decodeTimeline,
  type RunEvent,
  type TimelineEntry,
  type WorkflowRun,
} from "../protocol/mod.ts";
import { RunFailedError } from "./errors.ts";
import type { Gap } from "./gap.ts";
import type { CallOptions } from "./options.ts";
import type { Transport } from "./_transport.ts";
import { Tracker } from "./tracker.ts";

/** Follows one run. */
export type RunTracker = Tracker<WorkflowRun, RunEvent>;

/** A workflow run on its way, as `startWorkflow` gives it back. */
export class Run {
  readonly #session: Transport;
  readonly #tracker: RunTracker;
  readonly #state: string;
  /** The run's id. */
  readonly run_id: string;
  /** The workflow's name; empty on a handle made from an id alone. */
  readonly name: string;

  /** Made by `startWorkflow` and `client.run(id)`. */
  constructor(session: Transport, id: string, name: string, state: string, tracker: RunTracker) {
    this.#session = session;
    this.#tracker = tracker;
    this.run_id = id;
    this.name = name;
    this.#state = state;
  }

  /** The last state that was seen: `running` at first. */
  get state(): string {
    return this.#tracker.state ?? this.#state;
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
  async wait(options?: CallOptions): Promise<WorkflowRun> {
    const run = await this.#tracker.wait(options);
    if (run.state !== "completed") throw new RunFailedError(run);
    return run;
  }

  /** The run's events from the first on, ended by `workflow.completed` or `workflow.failed`. */
  events(options?: { signal?: AbortSignal }): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return this.#tracker.events(options);
  }
}

/** Reads a run. */
export async function getRun(
  session: Transport,
  run_id: string,
  options?: CallOptions,
): Promise<WorkflowRun> {
  return decodeRun(await readRun(session, run_id, options));
}

/** Reads a run, with its input and output still encoded. */
export function readRun(
  session: Transport,
  run_id: string,
  options?: CallOptions,
): Promise<unknown> {
  return session.request({
    what: `get workflow run '${run_id}'`,
    method: "workflow.get",
    data: JSON.stringify({ run_id }),
    subject: run_id,
    retry: "unknown",
    ...options,
  });
}

/** Reads a run's checkpoints. */
export async function getTimeline(
  session: Transport,
  run_id: string,
  options?: CallOptions,
): Promise<TimelineEntry[]> {
  return decodeTimeline(
    await session.request({
      what: `get the timeline of workflow run '${run_id}'`,
      method: "workflow.timeline",
      data: JSON.stringify({ run_id }),
      subject: run_id,
      retry: "unknown",
      ...options,
    }),
  );
}

/** Makes what follows a run; `fed` says that every event is handed in from the first on. */
export function trackRun(session: Transport, id: string, fed = false): RunTracker {
  return new Tracker<WorkflowRun, RunEvent>(session, {
    what: `workflow run '${id}'`,
    channel: `workflow:${id}`,
    read: (options) => getRun(session, id, options),
    recall: async (run, known, options) =>
      recallRun(run, await getTimeline(session, id, options), known),
    isLast: (event) => event.type === "workflow.completed" || event.type === "workflow.failed",
  }, fed);
}

/** The checkpoints of these never had an event. */
const SILENT = /^(wait|waitall|waitany|waitmatch|sleep|fanout):|^parallel:[^:]*$|^child:.*:\d+$/;

/**
 * The events that a run's record and timeline tell of. Steps that failed are not among them: where
 * one is missing, and nothing known tells of it, stands a gap.
 */
export function recallRun(
  run: WorkflowRun,
  timeline: TimelineEntry[],
  known: readonly (RunEvent | Gap)[],
): (RunEvent | Gap)[] {
  const topic = `workflow:${run.id}`;
  const { scope_app_id, scope_org_id } = run;
  const data = {
    run_id: run.id,
    name: run.name,
    ...(scope_app_id ? { scope_app_id } : {}),
    ...(scope_org_id ? { scope_org_id } : {}),
  };
  const events: RunEvent[] = [{ type: "workflow.started", ts: run.started_at, topic, data }];
  for (const { step_name, created_at } of timeline) {
    if (SILENT.test(step_name)) continue;
    events.push({
      type: "workflow.step_completed",
      ts: created_at,
      topic,
      data: { ...data, step_name },
    });
  }
  const ts = run.completed_at ?? run.updated_at;
  if (run.state === "completed") events.push({ type: "workflow.completed", ts, topic, data });
  if (run.state !== "failed") return events;
  events.push({
    type: "workflow.failed",
    ts,
    topic,
    data: { ...data, ...(run.error ? { error: run.error } : {}) },
  });
  if (known.some(({ type }) => type === "workflow.step_failed")) return events;
  const after = events.findIndex((event) =>
    event.type === "workflow.failed" ||
    "step_name" in event.data && event.data.step_name.startsWith("compensate:")
  );
  const [since, until] = [events[after - 1]!, events[after]!];
  const unseen: Gap = { type: "gap", reason: "unseen", since: since.ts, until: until.ts };
  return [...events.slice(0, after), unseen, ...events.slice(after)];
}
