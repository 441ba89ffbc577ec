import type { Request } from "./_transport.ts";
import { toJson } from "./_json.ts";
import { DispatchError } from "./errors.ts";
import type { WriteOptions } from "./options.ts";

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
export const READS: ReadonlySet<string> = new Set([
  "job.get",
  "job.list",
  "workflow.get",
  "workflow.timeline",
  "stats",
]);

/** Makes the requests that enqueue one kind of job; what they share is written once. */
export function enqueueing(
  name: string,
  options: EnqueueOptions = {},
): (payload: unknown) => Request {
  const { queue, priority, ...call } = options;
  const what = `enqueue '${name}'`;
  const head = JSON.stringify({ name, queue, priority }).slice(0, -1);
  return (payload) => ({
    what,
    method: "job.enqueue",
    data: `${head},"payload":${toJson(what, payload)}}`,
    subject: name,
    retry: "not-sent",
    ...call,
  });
}

/** The request that enqueues a job. */
export function enqueueRequest(name: string, payload: unknown, options?: EnqueueOptions): Request {
  return enqueueing(name, options)(payload);
}

/** The request that publishes an event. */
export function publishRequest(name: string, payload: unknown, options?: WriteOptions): Request {
  const what = `publish event '${name}'`;
  return {
    what,
    method: "workflow.event",
    data: `{"name":${JSON.stringify(name)},"payload":${toJson(what, payload)}}`,
    subject: name,
    retry: "not-sent",
    ...options,
  };
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
