import type { RunEvent } from "../events/event.ts";
import type { Mask } from "./mask.ts";

/**
 * What the runner itself says in an event. A secret can be `passed` or `130`; masked there as well,
 * it would be known by its place, and nobody could read the event.
 */
const OWN_WORDS: ReadonlySet<string> = new Set([
  ...["type", "ts", "version", "cases", "case", "step", "phase", "status", "reason", "exit_code"],
  ...["interrupted", "duration_ms", "counts", "attempt", "attempts", "soft", "flaky", "usual"],
  ...["kind", "line", "column", "length", "at", "since", "created_at"],
]);

/** Maps whose names come from a recipe or a server. */
const FREE: ReadonlySet<string> = new Set(["vars", "matrix"]);

/** An event without secrets, still the event it was. */
export function maskEvent(event: RunEvent, mask: Mask): RunEvent {
  return mask.isEmpty ? event : walk(event, mask) as RunEvent;
}

function walk(value: unknown, mask: Mask): unknown {
  if (typeof value === "string") return mask.text(value);
  if (Array.isArray(value)) return value.map((item) => walk(item, mask));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (OWN_WORDS.has(name)) return [name, item];
      return [name, FREE.has(name) ? mask.value(item) : walk(item, mask)];
    }),
  );
}
