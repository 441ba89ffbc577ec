/**
 * The methods of the protocol, each with the scope that a token needs to call it. Servers today
 * answer some of them with 405, such as `job.list`.
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

/** The name of a method. */
export type Method = keyof typeof METHOD_SCOPES;
