import { parseChannel } from "../../protocol/mod.ts";
import { NotRegisteredError } from "../engine/errors.ts";
import { wireCheckpoint, wireJob, wireRun } from "../engine/wire_format.ts";
import { goQuote } from "../go/encode.ts";
import { DOCUMENTED_METHODS } from "./_documented_methods.ts";
import type { ClientFrame, MethodResult } from "./_frames.ts";
import {
  decodeJobCancelRequest,
  decodeJobEnqueueRequest,
  decodeJobGetRequest,
  decodeSubscribeRequest,
  decodeUnsubscribeRequest,
  decodeWorkflowEventRequest,
  decodeWorkflowGetRequest,
  decodeWorkflowStartRequest,
  decodeWorkflowTimelineRequest,
} from "./_request_decoders.ts";
import {
  type Caller,
  findJob,
  findRun,
  type Method,
  MethodError,
  type Methods,
  ok,
  type ServerParts,
  toErrorResult,
} from "./method.ts";

const enqueueJob: Method = ({ state, jobs }, frame, { tenant }) => {
  const request = decodeJobEnqueueRequest(frame.data);
  return carryOut(state, "enqueue", request.name, () => {
    const job = jobs.enqueue(tenant, request.name, request.payload, request);
    return ok({ job_id: job.id, queue: job.queue, state: "pending" });
  });
};

const getJob: Method = (server, frame, caller) => {
  const { job_id } = decodeJobGetRequest(frame.data);
  const job = findJob(server, job_id, caller, "job not found: dispatch: job not found");
  return ok(wireJob(job, server.jobs.heartbeatOf(job)));
};

const cancelJob: Method = (server, frame, caller) => {
  const { job_id } = decodeJobCancelRequest(frame.data);
  const job = findJob(server, job_id, caller, "job not found");
  if (!server.jobs.cancel(job)) throw new MethodError(409, `job is ${job.state}`);
  return ok({ status: "cancelled" });
};

const startWorkflow: Method = (server, frame, caller) => {
  const { quirks } = server.state;
  const { name, input } = decodeWorkflowStartRequest(frame.data);
  const signal = quirks["runs-die-with-request"] ? caller.signal : server.signal;
  return carryOut(server.state, "start", name, () => {
    try {
      const { run, done } = server.workflows.start(caller.tenant, name, input, signal);
      const result = () => ok({ run_id: run.id, name: run.name, state: run.state });
      return quirks["blocking-start"] ? done.then(result) : result();
    } catch (error) {
      if (!(error instanceof NotRegisteredError)) throw error;
      return { code: 500, message: `workflow start failed: ${error.message}` };
    }
  });
};

const getRun: Method = (server, frame, caller) => {
  const { run_id } = decodeWorkflowGetRequest(frame.data);
  const run = findRun(server, run_id, caller);
  if (!run) throw new MethodError(404, "run not found: dispatch: run not found");
  return ok(wireRun(run));
};

const getTimeline: Method = (server, frame, caller) => {
  const { run_id } = decodeWorkflowTimelineRequest(frame.data);
  const run = findRun(server, run_id, caller);
  return ok([...run?.checkpoints.values() ?? []].map(wireCheckpoint));
};

const publishEvent: Method = ({ state }, frame, { tenant }) => {
  const { name, payload } = decodeWorkflowEventRequest(frame.data);
  return carryOut(state, "publish", name, () => {
    const id = state.ids.next("evt");
    const createdAt = state.timestamps.now();
    state.store.publish({ id, name, payload, ...tenant, acked: false, createdAt });
    for (const { published } of state.observers) {
      published?.({ id, name, payload: payload && JSON.parse(payload), created_at: createdAt });
    }
    return ok({ event_id: id, name });
  });
};

const subscribe: Method = (_server, frame, caller) => {
  const { channel, credits } = decodeSubscribeRequest(frame.data);
  const problem = channelProblem(channel);
  if (problem !== undefined) throw new MethodError(400, problem);
  caller.subscribe?.(channel, credits);
  return ok({ channel, status: "subscribed" });
};

const unsubscribe: Method = (_server, frame, caller) => {
  const { channel } = decodeUnsubscribeRequest(frame.data);
  caller.unsubscribe?.(channel);
  return ok({ channel, status: "unsubscribed" });
};

const stats: Method = (server) => {
  const broker = server.broker.stats();
  return server.state.quirks["zero-stats"]
    ? ok({ broker: { ...broker, total_dropped: 0 }, connections: 0 })
    : ok({ broker, connections: server.connections });
};

/** The methods that real servers have. */
const METHODS: Methods = new Map([
  ["job.enqueue", enqueueJob],
  ["job.get", getJob],
  ["job.cancel", cancelJob],
  ["workflow.start", startWorkflow],
  ["workflow.get", getRun],
  ["workflow.event", publishEvent],
  ["workflow.timeline", getTimeline],
  ["subscribe", subscribe],
  ["unsubscribe", unsubscribe],
  ["stats", stats],
]);

/** Carries out a write. */
function carryOut(
  { aroundWork }: ServerParts["state"],
  kind: "enqueue" | "publish" | "start",
  name: string,
  run: () => MethodResult | Promise<MethodResult>,
): MethodResult | Promise<MethodResult> {
  if (!aroundWork) return run();
  return aroundWork({ kind, name }, async () => await run()).catch(toErrorResult);
}

/**
 * Calls the method of a request. It returns a promise only for a blocking `workflow.start`, and if
 * the server has something around its work.
 */
export function callMethod(
  server: ServerParts,
  frame: ClientFrame,
  caller: Caller,
): MethodResult | Promise<MethodResult> {
  const documented = server.state.quirks["methods-missing"]
    ? undefined
    : DOCUMENTED_METHODS.get(frame.method);
  const method = METHODS.get(frame.method) ?? documented;
  for (const { request } of server.state.observers) {
    request?.({ session_id: caller.sessionId, method: frame.method, data: frame.data });
  }
  if (!method) return { code: 405, message: missingMethod(frame.method) };
  try {
    return method(server, frame, caller);
  } catch (error) {
    return toErrorResult(error);
  }
}

function missingMethod(name: string): string {
  return /^federation\.(?:enqueue|event|heartbeat)$/.test(name)
    ? "federation not enabled"
    : `unknown method: ${name}`;
}

/** Validates a channel; returns the error message of a Go server, or `undefined` if it is valid. */
export function channelProblem(channel: string): string | undefined {
  if (parseChannel(channel)) return undefined;
  const colon = channel.indexOf(":");
  if (colon < 1 || colon === channel.length - 1) return `stream: invalid topic ${goQuote(channel)}`;
  return `stream: unknown topic entity type ${goQuote(channel.slice(0, colon))}`;
}
