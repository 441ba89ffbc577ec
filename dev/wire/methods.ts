import { parseChannel } from "../../protocol/mod.ts";
import { sameTenant } from "./broker.ts";
import type { Core } from "../engine/server_state.ts";
import { goStringify } from "../go/encode.ts";
import { GoJsonError, goQuote } from "../go/scan.ts";
import type { Answer, InFrame } from "./_frames.ts";
import {
  jobCancelRequest,
  jobEnqueueRequest,
  jobGetRequest,
  subscribeRequest,
  unsubscribeRequest,
  workflowEventRequest,
  workflowGetRequest,
  workflowStartRequest,
  workflowTimelineRequest,
} from "./_request_decoders.ts";
import { type IdPrefix, idProblem } from "../engine/ids.ts";
import { errorText } from "../engine/handler_input.ts";
import type { JobEngine } from "../engine/job_engine.ts";
import { documentedMethod } from "./_documented_methods.ts";
import {
  type JobRow,
  type RunRow,
  type Tenant,
  wireCheckpoint,
  wireJob,
  wireRun,
} from "../engine/store_rows.ts";
import { NotRegisteredError, type WorkflowEngine } from "../engine/workflow_engine.ts";

/** A server's parts that methods work with. */
export interface Engines {
  readonly core: Core;
  readonly jobs: JobEngine;
  readonly workflows: WorkflowEngine;
  /** Open WebSocket connections. */
  connections(): number;
  /** A signal that ends with the server. */
  readonly signal: AbortSignal;
}

/** Who calls. */
export interface Caller {
  readonly tenant: Tenant;
  /** Ends with the connection or the HTTP request. */
  readonly signal: AbortSignal;
  /** Subscribes its connection; not there over RPC. */
  subscribe?(channel: string, credits: number): void;
  /** Unsubscribes its connection. */
  unsubscribe?(channel: string): void;
}

/** A refusal, thrown through a method. */
export class Refusal extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Serves a request. Most answers are there at once; a workflow's start may keep its caller waiting.
 */
export function serveMethod(
  engines: Engines,
  frame: InFrame,
  caller: Caller,
): Answer | Promise<Answer> {
  try {
    const method = METHODS[frame.method];
    if (method) return method(engines, frame, caller);
    if (!engines.core.quirks["methods-missing"]) {
      const answer = documentedMethod(engines, frame, caller);
      if (answer) return answer;
    }
    const federation = /^federation\.(?:enqueue|event|heartbeat)$/.test(frame.method);
    const message = federation ? "federation not enabled" : `unknown method: ${frame.method}`;
    return { code: 405, message };
  } catch (error) {
    if (error instanceof Refusal) return { code: error.code, message: error.message };
    if (error instanceof GoJsonError) {
      return { code: 400, message: `invalid request: ${error.message}` };
    }
    return { code: 500, message: `internal error: ${errorText(error)}` };
  }
}

type MethodHandler = (
  engines: Engines,
  frame: InFrame,
  caller: Caller,
) => Answer | Promise<Answer>;

const METHODS: Record<string, MethodHandler | undefined> = Object.assign(Object.create(null), {
  "job.enqueue": enqueueJob,
  "job.get": getJob,
  "job.cancel": cancelJob,
  "workflow.start": startWorkflow,
  "workflow.get": getWorkflow,
  "workflow.event": publishEvent,
  "workflow.timeline": getTimeline,
  "subscribe": subscribe,
  "unsubscribe": unsubscribe,
  "stats": stats,
});

/** An answer that carries a value. */
export function ok(value: unknown): Answer {
  return { data: goStringify(value) };
}

function enqueueJob({ jobs }: Engines, frame: InFrame, { tenant }: Caller): Answer {
  const request = jobEnqueueRequest(frame.data);
  const job = jobs.enqueue(tenant, request.name, request.payload, request);
  return ok({ job_id: job.id, queue: job.queue, state: "pending" });
}

function getJob(engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { job_id } = jobGetRequest(frame.data);
  const missing = "job not found: dispatch: job not found";
  const job = findJob(engines, job_id, caller, missing);
  return ok(wireJob(job, engines.jobs.heartbeatOf(job)));
}

function cancelJob(engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { job_id } = jobCancelRequest(frame.data);
  const job = findJob(engines, job_id, caller, "job not found");
  if (!engines.jobs.cancel(job)) throw new Refusal(409, `job is ${job.state}`);
  return ok({ status: "cancelled" });
}

function startWorkflow(
  engines: Engines,
  frame: InFrame,
  caller: Caller,
): Answer | Promise<Answer> {
  const { core, workflows } = engines;
  const { name, input } = workflowStartRequest(frame.data);
  const signal = core.quirks["runs-die-with-request"] ? caller.signal : engines.signal;
  try {
    const { run, done } = workflows.start(caller.tenant, name, input, signal);
    const answer = () => ok({ run_id: run.id, name: run.name, state: run.state });
    return core.quirks["blocking-start"] ? done.then(answer) : answer();
  } catch (error) {
    if (!(error instanceof NotRegisteredError)) throw error;
    return { code: 500, message: `workflow start failed: ${error.message}` };
  }
}

function getWorkflow(engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { run_id } = workflowGetRequest(frame.data);
  const run = findRun(engines, run_id, caller);
  if (!run) throw new Refusal(404, "run not found: dispatch: run not found");
  return ok(wireRun(run));
}

function getTimeline(engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { run_id } = workflowTimelineRequest(frame.data);
  const run = findRun(engines, run_id, caller);
  return ok([...run?.checkpoints.values() ?? []].map(wireCheckpoint));
}

function publishEvent({ core }: Engines, frame: InFrame, { tenant }: Caller): Answer {
  const { name, payload } = workflowEventRequest(frame.data);
  const id = core.ids.next("evt");
  const createdAt = core.stamps.now();
  core.store.publish({ id, name, payload, ...tenant, acked: false, createdAt });
  for (const { published } of core.observers) {
    published?.({ id, name, payload: payload && JSON.parse(payload), created_at: createdAt });
  }
  return ok({ event_id: id, name });
}

function subscribe(_engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { channel, credits } = subscribeRequest(frame.data);
  const problem = channelProblem(channel);
  if (problem !== undefined) throw new Refusal(400, problem);
  caller.subscribe?.(channel, credits);
  return ok({ channel, status: "subscribed" });
}

function unsubscribe(_engines: Engines, frame: InFrame, caller: Caller): Answer {
  const { channel } = unsubscribeRequest(frame.data);
  caller.unsubscribe?.(channel);
  return ok({ channel, status: "unsubscribed" });
}

function stats(engines: Engines): Answer {
  const broker = engines.core.broker.stats();
  if (engines.core.quirks["zero-stats"]) {
    return ok({ broker: { ...broker, total_dropped: 0 }, connections: 0 });
  }
  return ok({ broker, connections: engines.connections() });
}

/** What a server says of a text that is no channel, or `undefined` when it is one. */
export function channelProblem(channel: string): string | undefined {
  if (parseChannel(channel)) return undefined;
  const colon = channel.indexOf(":");
  if (colon < 1 || colon === channel.length - 1) return `stream: invalid topic ${goQuote(channel)}`;
  return `stream: unknown topic entity type ${goQuote(channel.slice(0, colon))}`;
}

/**
 * The job of an id.
 * @throws {Refusal} When the text is no id, or the job is unknown.
 */
export function findJob(
  { core }: Engines,
  id: string,
  { tenant }: Caller,
  missing: string,
): JobRow {
  checkId(id, "job", "job");
  const job = core.store.jobRows.get(id);
  if (job && (core.quirks["tenants-open"] || sameTenant(job, tenant))) return job;
  throw new Refusal(404, missing);
}

/**
 * The run of an id.
 * @throws {Refusal} When the text is no id.
 */
export function findRun({ core }: Engines, id: string, { tenant }: Caller): RunRow | undefined {
  checkId(id, "wfrun", "run");
  const run = core.store.runRows.get(id);
  return run && (core.quirks["tenants-open"] || sameTenant(run, tenant)) ? run : undefined;
}

/**
 * Checks an id.
 * @throws {Refusal} When the text is none of this kind.
 */
export function checkId(id: string, prefix: IdPrefix, what: string): void {
  const problem = idProblem(id, prefix);
  if (problem !== undefined) throw new Refusal(400, `invalid ${what} ID: ${problem}`);
}
