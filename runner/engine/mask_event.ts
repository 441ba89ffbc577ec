import type { RecipeEvent } from "../events/event.ts";
import type { Mask } from "./mask.ts";

/**
 * The fields that the runner fills in itself. A secret can be `passed` or `130`. Masking it in these
 * fields would reveal it and make the event useless.
 */
const OWN_FIELDS: ReadonlySet<string> = new Set([
  ...["type", "ts", "version", "cases", "case", "step", "phase", "status", "reason", "exit_code"],
  ...["interrupted", "duration_ms", "counts", "attempt", "attempts", "soft", "flaky", "usual"],
  ...["kind", "line", "column", "length", "at", "since"],
]);

/** The fields that hold maps, whose keys come from a recipe. */
const MAP_FIELDS: ReadonlySet<string> = new Set(["vars", "matrix"]);

/** Returns an event with its secrets masked. */
export function maskEvent(event: RecipeEvent, mask: Mask): RecipeEvent {
  if (mask.isEmpty) return event;
  // All else in it are the runner's own numbers and digests, by which `merge` knows a shard.
  if (event.type === "run.started") return { ...event, server: mask.text(event.server) };
  return walk(event, mask) as RecipeEvent;
}

function walk(value: unknown, mask: Mask): unknown {
  // A list of texts is masked as one.
  if (Array.isArray(value) && value.some((item) => typeof item === "object")) {
    return value.map((item) => walk(item, mask));
  }
  // A number here comes from the server or the recipe, such as the code of an error.
  if (Array.isArray(value) || typeof value !== "object" || value === null) return mask.value(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (OWN_FIELDS.has(name)) return [name, item];
      return [name, MAP_FIELDS.has(name) ? mask.value(item) : walk(item, mask)];
    }),
  );
}
