import {
  decodeJob,
  decodeRun,
  decodeStats,
  decodeTimeline,
  type JobRecord,
  type Stats,
  type TimelineEntry,
  type WorkflowRun,
} from "../../protocol/entity.ts";
import { findUnserializable } from "../../runtime/explain.ts";
import { DispatchError } from "../errors.ts";
import {
  type CallOptions,
  checkOptions,
  ENQUEUE,
  type EnqueueOptions,
  NAME,
  type OptionRules,
  WRITE,
  type WriteOptions,
} from "../options.ts";
import type { Request, Transport } from "./transport.ts";

/** A request and the function that reads its answer. */
export interface TypedRequest<T> extends Request {
  decode(answer: unknown): T;
}

/** Sends a request and resolves with its decoded answer. */
export function send<T>(transport: Transport, request: TypedRequest<T>): Promise<T> {
  return transport.request(request).then(request.decode);
}

/** The request that reads a job. */
export function getJob(jobId: string, options?: CallOptions): TypedRequest<JobRecord> {
  return about("job_id", jobId, `get job '${jobId}'`, "job.get", decodeJob, options);
}

/** The request that cancels a job. */
export function cancelJob(jobId: string, options?: WriteOptions): TypedRequest<void> {
  return about("job_id", jobId, `cancel job '${jobId}'`, "job.cancel", () => {}, options);
}

/** Cancels a job, and tells those who wait for it, because no event does. */
export async function cancel(
  transport: Transport,
  jobId: string,
  options?: WriteOptions,
): Promise<void> {
  await send(transport, cancelJob(jobId, options));
  for (const listener of transport.onCancel) listener(jobId);
}

/** The request that reads a run. */
export function getRun(runId: string, options?: CallOptions): TypedRequest<WorkflowRun> {
  return about("run_id", runId, `get workflow run '${runId}'`, "workflow.get", decodeRun, options);
}

/** The request that reads a run's checkpoints. */
export function getTimeline(runId: string, options?: CallOptions): TypedRequest<TimelineEntry[]> {
  const what = `get the timeline of workflow run '${runId}'`;
  return about("run_id", runId, what, "workflow.timeline", decodeTimeline, options);
}

/** The request that publishes an event. */
export function publishEvent(
  name: string,
  payload: unknown,
  options?: WriteOptions,
): TypedRequest<{ event_id: string; name: string }> {
  const what = `publish event '${name}'`;
  checkOptions(what, { name }, NAME);
  const data = `{"name":${JSON.stringify(name)},"payload":${toJson(what, payload)}}`;
  const decode = (answer: unknown) => textFields(what, answer, "event_id", "name");
  return { ...request(what, "workflow.event", decode, options), data, subject: name };
}

/** The request that reads the server's statistics. */
export function getStats(options?: CallOptions): TypedRequest<Stats> {
  return request("get stats", "stats", decodeStats, options);
}

/** The request that calls any method; its answer stays as the server sent it. */
export function callMethod(
  method: string,
  data: unknown,
  options?: WriteOptions,
): TypedRequest<unknown> {
  const what = `call '${method}'`;
  checkOptions(what, { name: method }, NAME);
  const text = data === undefined ? undefined : toJson(what, data);
  return { ...request(what, method, (answer) => answer, options), data: text };
}

/** The answer to an enqueue. */
export interface EnqueuedJob {
  job_id: string;
  queue: string;
  state: string;
}

/**
 * Creates a function that makes the request to enqueue one job of a name. What the requests have in
 * common is formatted once.
 */
export function enqueueRequests(
  name: string,
  options: EnqueueOptions = {},
): (payload: unknown) => TypedRequest<EnqueuedJob> {
  const what = `enqueue '${name}'`;
  checkOptions(what, { name }, NAME);
  const decode = (answer: unknown) => textFields(what, answer, "job_id", "queue", "state");
  const common = { ...request(what, "job.enqueue", decode, options, ENQUEUE), subject: name };
  const { queue, priority } = options;
  const head = JSON.stringify({ name, queue, priority }).slice(0, -1) + ',"payload":';
  return (payload) => ({ ...common, data: head + toJson(what, payload) + "}" });
}

/** The request that starts or ends a subscription. */
export function channelRequest(method: "subscribe" | "unsubscribe", channel: string): Request {
  return {
    what: `${method} ${method === "subscribe" ? "to" : "from"} '${channel}'`,
    method,
    data: JSON.stringify({ channel }),
    subject: channel,
    retry: "not-sent",
  };
}

/**
 * Returns the JSON text of a payload or input. `undefined` becomes `null`, because servers on SQL
 * stores refuse a payload that is left out.
 *
 * @throws {DispatchError} With the code `"bad_payload"`, if the value is not JSON-serializable.
 */
export function toJson(what: string, value: unknown): string {
  if (value === undefined) return "null";
  let cause: unknown;
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (error) {
    cause = error;
  }
  const why = findUnserializable(value) ?? (cause as Error)?.message ?? `a ${typeof value}`;
  const text = `Cannot ${what}: the payload is not JSON-serializable: ${why}`;
  throw new DispatchError(text, "bad_payload", { cause });
}

/**
 * Checks that an answer has text in the given fields.
 * @throws {DispatchError} With the code `"bad_answer"`, if a field is missing.
 */
export function textFields<Key extends string>(
  what: string,
  answer: unknown,
  ...keys: Key[]
): Record<Key, string> {
  const fields = Object(answer) as Record<Key, string>;
  for (const key of keys) {
    if (typeof fields[key] === "string") continue;
    const text = `Cannot ${what}: the answer has no ${key}`;
    throw new DispatchError(text, "bad_answer", { delivery: "unknown" });
  }
  return fields;
}

/** Whether a method only reads: such a request is sent again after a lost connection. */
export function isRead(method: string): boolean {
  return /^stats$|\.(get|list|timeline)$/.test(method);
}

function request<T>(
  what: string,
  method: string,
  decode: (answer: unknown) => T,
  options?: WriteOptions,
  rules: OptionRules = WRITE,
): TypedRequest<T> {
  checkOptions(what, options, rules);
  return { what, method, decode, retry: isRead(method) ? "unknown" : "not-sent", ...options };
}

/** A request about one job or run. */
function about<T>(
  key: "job_id" | "run_id",
  id: string,
  what: string,
  method: string,
  decode: (answer: unknown) => T,
  options?: WriteOptions,
): TypedRequest<T> {
  checkOptions(what, { id }, NAME);
  const data = JSON.stringify({ [key]: id });
  return { ...request(what, method, decode, options), data, subject: id };
}
