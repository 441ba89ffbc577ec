/** What a token is allowed, and whose it is. */
export interface TokenOptions {
  /** The scopes: `job:read`, `job:write`, `workflow:read`, …, or `*` for all. */
  scopes: readonly string[];
  /** The tenant's application. */
  app?: string;
  /** The tenant's organisation. */
  org?: string;
}

/** The tokens of a server that is given none. */
export const DEFAULT_TOKENS: Readonly<Record<string, TokenOptions>> = {
  "demo-token": { scopes: ["*"], app: "app", org: "org" },
  "readonly": {
    scopes: ["job:read", "workflow:read", "subscribe", "stats:read"],
    app: "app",
    org: "org",
  },
  "other": { scopes: ["*"], app: "app2", org: "org2" },
};

/** Whether a token is allowed what a scope says. */
export function hasScope(token: TokenOptions, scope: string): boolean {
  return token.scopes.includes("*") || token.scopes.includes(scope);
}

/** The scope a method needs; `""` when it needs none. Known by prefix: any other name needs admin. */
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
