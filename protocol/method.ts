/**
 * What a token must be allowed for each method. `job.list` and its neighbours are declared by the
 * protocol and refused with 405 by the servers of today.
 */
export const METHOD_SCOPES = {
  "auth": null,
  "job.enqueue": "job:write",
  "job.get": "job:read",
  "job.cancel": "job:write",
  "job.list": "job:read",
  "workflow.start": "workflow:write",
  "workflow.get": "workflow:read",
  "workflow.event": "workflow:write",
  "workflow.cancel": "workflow:write",
  "workflow.timeline": "workflow:read",
  "workflow.replay": "workflow:write",
  "subscribe": "subscribe",
  "unsubscribe": "subscribe",
  "cron.list": "cron:read",
  "dlq.list": "dlq:read",
  "dlq.replay": "dlq:write",
  "stats": "stats:read",
  "federation.enqueue": "admin",
  "federation.event": "admin",
  "federation.heartbeat": "admin",
} as const satisfies Record<string, string | null>;

/** A method the protocol declares. */
export type Method = keyof typeof METHOD_SCOPES;
