import type { JobRecord, Stats, TimelineEntry, WorkflowRun } from "../../protocol/entity.ts";
import { toJson } from "./_to_json.ts";
import { load } from "../_load.ts";
import type { Request, Transport } from "./transport.ts";
import { DispatchError } from "../errors.ts";
import type { CallOptions, WriteOptions } from "../options.ts";

/** Settings of {@linkcode Dispatch.enqueue}. */
export interface EnqueueOptions extends WriteOptions {
  /**
   * The queue to wait in.
   * @default {"default"}
   */
  queue?: string;
  /**
   * A whole number; higher runs first, below 0 is 0.
   * @default {0}
   */
  priority?: number;
}

/** Methods that only read, and so may be sent again. */
const READS = /^stats$|\.(get|list|timeline)$/;

function requestOf(what: string, method: string, more?: Partial<Request>): Request {
  return { what, method, retry: READS.test(method) ? "unknown" : "not-sent", ...more };
}

/** A request about one job or run. */
function about(
  what: string,
  method: string,
  key: "job_id" | "run_id",
  id: string,
  options?: CallOptions,
): Request {
  return requestOf(what, method, { data: JSON.stringify({ [key]: id }), subject: id, ...options });
}

/** Makes the requests that enqueue one kind of job; what they share is written once. */
export function enqueueing(
  name: string,
  { queue, priority, retry = "not-sent", signal, timeout }: EnqueueOptions = {},
): (payload: unknown) => Request {
  const what = `enqueue '${name}'`;
  const head = JSON.stringify({ name, queue, priority }).slice(0, -1) + ',"payload":';
  return (payload) => ({
    what,
    method: "job.enqueue",
    data: head + toJson(what, payload) + "}",
    subject: name,
    retry,
    signal,
    timeout,
  });
}

/** What decodes answers, once it has been loaded. */
let decoders: typeof import("../../protocol/entity.ts") | undefined;

/** Sends a request at once, and decodes its answer with what is loaded meanwhile. */
function read<T>(
  session: Transport,
  request: Request,
  decode: (part: NonNullable<typeof decoders>, answer: unknown) => T,
): Promise<T> {
  const answer = session.request(request);
  const part = decoders;
  if (part) return answer.then((answer) => decode(part, answer));
  // Whichever fails first ends the call.
  return Promise.all([
    load(session, request.what, import("../../protocol/entity.ts"), request),
    answer,
  ]).then(([part, answer]) => decode(decoders = part, answer));
}

/** Reads a job. */
export function getJob(
  session: Transport,
  id: string,
  options?: CallOptions,
): Promise<JobRecord> {
  const request = about(`get job '${id}'`, "job.get", "job_id", id, options);
  return read(session, request, (part, answer) => part.decodeJob(answer));
}

/** Cancels a job. */
export async function cancelJob(
  session: Transport,
  id: string,
  options?: WriteOptions,
): Promise<void> {
  await session.request(about(`cancel job '${id}'`, "job.cancel", "job_id", id, options));
}

/** Reads a run. */
export function getRun(
  session: Transport,
  id: string,
  options?: CallOptions,
): Promise<WorkflowRun> {
  return read(session, runRequest(id, options), (part, answer) => part.decodeRun(answer));
}

/** The request that reads a run. */
export function runRequest(id: string, options?: CallOptions): Request {
  return about(`get workflow run '${id}'`, "workflow.get", "run_id", id, options);
}

/** Reads a run's checkpoints. */
export function getTimeline(
  session: Transport,
  id: string,
  options?: CallOptions,
): Promise<TimelineEntry[]> {
  const what = `get the timeline of workflow run '${id}'`;
  const request = about(what, "workflow.timeline", "run_id", id, options);
  return read(session, request, (part, answer) => part.decodeTimeline(answer));
}

/** Publishes an event. */
export async function publishEvent(
  session: Transport,
  name: string,
  payload: unknown,
  options?: WriteOptions,
): Promise<{ event_id: string; name: string }> {
  const what = `publish event '${name}'`;
  const data = `{"name":${JSON.stringify(name)},"payload":${toJson(what, payload)}}`;
  const request = requestOf(what, "workflow.event", { data, subject: name, ...options });
  return answerWith(what, await session.request(request), "event_id", "name");
}

/** Reads the server's statistics. */
export function getStats(session: Transport, options?: CallOptions): Promise<Stats> {
  const request = requestOf("get stats", "stats", options);
  return read(session, request, (part, answer) => part.decodeStats(answer));
}

/** Calls any method, and gives its answer as it came. */
export function call(
  session: Transport,
  method: string,
  text: string | undefined,
  options?: WriteOptions,
): Promise<unknown> {
  return session.request(requestOf(`call '${method}'`, method, { data: text, ...options }));
}

/**
 * An answer that has these texts in it.
 * @throws {DispatchError} Of code `"bad_answer"`, when it has not.
 */
export function answerWith<Key extends string>(
  what: string,
  answer: unknown,
  ...keys: Key[]
): Record<Key, string> {
  const fields = Object(answer) as Record<Key, string>;
  for (const key of keys) {
    if (typeof fields[key] === "string") continue;
    throw new DispatchError(`Cannot ${what}: the answer has no ${key} in it`, "bad_answer");
  }
  return fields;
}
