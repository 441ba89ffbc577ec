import type { Frame } from "../../testing/mod.ts";
import type { ScriptedPeer } from "../../testing/mod.ts";

/**
 * Answers the usual requests.
 * @param own Called first; returns `true` if it handled the request.
 */
export async function serve(
  peer: ScriptedPeer,
  own: (request: Frame, peer: ScriptedPeer) => boolean | void = () => false,
): Promise<never> {
  for (;;) {
    const request = await peer.next();
    if (own(request, peer) === true) continue;
    const answer = ANSWERS[request.method ?? ""];
    if (answer) peer.answer(request, answer(request.data as Record<string, string>));
    else peer.refuse(request, 405, `unknown method: ${request.method}`);
  }
}

export const JOB_ID = "job_00000000000000000000000000";
export const RUN_ID = "wfrun_00000000000000000000000000";
export const STATS = {
  broker: { topic_count: 0, subscriber_count: 1, total_published: 0, total_dropped: 0 },
  connections: 0,
};
const TS = "2026-01-01T00:00:00Z";

/** Creates a job's record. */
export function jobRecord(
  state: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    created_at: TS,
    updated_at: TS,
    id: JOB_ID,
    name: "noop",
    queue: "default",
    payload: btoa("null"),
    state,
    priority: 0,
    max_retries: 3,
    retry_count: 0,
    worker_id: "",
    run_at: TS,
    timeout: 300_000_000_000,
    ...(state === "completed" ? { started_at: TS, completed_at: TS } : {}),
    ...more,
  };
}

/** Creates a run's record. */
export function runRecord(
  state: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    created_at: TS,
    updated_at: TS,
    id: RUN_ID,
    name: "noop",
    state,
    input: btoa("{}"),
    started_at: TS,
    version: 1,
    ...(state === "running" ? {} : { completed_at: TS }),
    ...more,
  };
}

const ANSWERS: Record<string, (data: Record<string, string>) => unknown> = {
  subscribe: ({ channel }) => ({ channel, status: "subscribed" }),
  unsubscribe: ({ channel }) => ({ channel, status: "unsubscribed" }),
  stats: () => STATS,
  "job.enqueue": () => ({ job_id: JOB_ID, queue: "default", state: "pending" }),
  "job.get": () => jobRecord("running"),
  "job.cancel": () => ({ status: "cancelled" }),
  "workflow.get": () => runRecord("running"),
  "workflow.timeline": () => [],
  "workflow.event": ({ name }) => ({ event_id: "evt_1", name }),
  "cron.list": () => [],
  "dlq.replay": () => ({ status: "replayed" }),
};

/** The methods of the requests that a peer received, in order. */
export function methodsOf(peer: ScriptedPeer | undefined): string[] {
  return (peer?.received ?? [])
    .map((message) => (JSON.parse(message as string) as Frame).method)
    .filter((method): method is string => method !== undefined);
}

/** The requests for one method that a peer received. */
export function requestsOf(peer: ScriptedPeer, method: string): Frame[] {
  return peer.received
    .map((message) => JSON.parse(message as string) as Frame)
    .filter((frame) => frame.method === method);
}
