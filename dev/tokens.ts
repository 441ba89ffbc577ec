/** The permissions of a token, and the tenant it belongs to. */
export interface TokenOptions {
  /** The scopes: `job:read`, `job:write`, `workflow:read`, …, or `*` for all. */
  scopes: readonly string[];
  /** The tenant's application. */
  app?: string;
  /** The tenant's organisation. */
  org?: string;
}

/** Looks up a token; returns `undefined` if it is not valid. */
export type Authenticate = (token: string) => TokenOptions | undefined;

/** The tokens of a server whose workload has none. */
export const DEFAULT_TOKENS: Readonly<Record<string, TokenOptions>> = {
  "demo-token": { scopes: ["*"], app: "app", org: "org" },
  "readonly": {
    scopes: ["job:read", "workflow:read", "subscribe", "stats:read"],
    app: "app",
    org: "org",
  },
  "other": { scopes: ["*"], app: "app2", org: "org2" },
};

/** Whether a token has a scope. */
export function hasScope(token: TokenOptions, scope: string): boolean {
  return token.scopes.includes("*") || token.scopes.includes(scope);
}

/**
 * Returns the scope that a method requires, or an empty string if it requires none. As on a Go
 * server, the prefix decides, so methods that do not exist have a scope too.
 */
export function requiredScope(method: string): string {
  if (method === "auth") return "";
  if (method.startsWith("job.")) {
    return method === "job.get" || method === "job.list" ? "job:read" : "job:write";
  }
  if (method.startsWith("workflow.")) {
    return method === "workflow.get" || method === "workflow.timeline"
      ? "workflow:read"
      : "workflow:write";
  }
  if (method === "subscribe" || method === "unsubscribe") return "subscribe";
  if (method === "cron.list") return "cron:read";
  if (method.startsWith("dlq.")) return method === "dlq.list" ? "dlq:read" : "dlq:write";
  if (method === "stats") return "stats:read";
  return "admin";
}
