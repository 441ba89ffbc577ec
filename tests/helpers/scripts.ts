import type { Frame, ScriptedPeer } from "../../testing/mod.ts";
import { REQUEST_CALLS } from "./calls.ts";
import { JOB_ID, jobRecord, RUN_ID, runRecord, STATS } from "./records.ts";

export { JOB_ID, jobRecord, RUN_ID, runRecord, STATS };

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

/** The answers to the methods of the calls, as in their examples, and to others. */
const ANSWERS: Record<string, (data: Record<string, string>) => unknown> = {
  ...Object.fromEntries(
    Object.values(REQUEST_CALLS).map(({ method, answer }) => [method, () => answer]),
  ),
  subscribe: ({ channel }) => ({ channel, status: "subscribed" }),
  unsubscribe: ({ channel }) => ({ channel, status: "unsubscribed" }),
  "job.enqueue": () => ({ job_id: JOB_ID, queue: "default", state: "pending" }),
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
