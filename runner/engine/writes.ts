import { METHOD_SCOPES } from "../../protocol/method.ts";
import type { Step } from "../language/model.ts";

const WRITES = new Set(["enqueue", "start", "publish", "cancel"]);

/** Whether a step by itself changes something on the server. */
export function isWrite({ kind, fields }: Step): boolean {
  if (kind !== "call") return WRITES.has(kind);
  const scope = Object.entries(METHOD_SCOPES).find(([method]) => method === fields.call)?.[1];
  return !(scope?.endsWith(":read") ?? false);
}

/**
 * Whether the server may have carried out a request that failed.
 * @param signal What could have ended it before its answer came.
 */
export function mayHaveArrived(error: unknown, signal: AbortSignal): boolean {
  const { delivery, code } = error as { delivery?: string; code?: unknown };
  if (delivery !== undefined) return delivery === "unknown";
  // A number is a server's refusal.
  return signal.aborted && typeof code !== "number";
}
