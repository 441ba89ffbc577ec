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
  if (Array.isArray(value)) {
    // A list of texts is masked as one.
    const hasObjects = value.some((item) => typeof item === "object");
    const masked = hasObjects ? value.map((item) => walk(item, mask)) : mask.value(value);
    return masked.every((item, i) => item === value[i]) ? value : masked;
  }
  // A number here comes from the server or the recipe, such as the code of an error.
  if (typeof value !== "object" || value === null) return mask.value(value);
  return mapValues(value, (item, name) => {
    if (OWN_FIELDS.has(name)) return item;
    return MAP_FIELDS.has(name) ? mask.value(item) : walk(item, mask);
  });
}

/** Replaces the values of an object; returns the object itself if all of them stay the same. */
function mapValues(value: object, replace: (item: unknown, name: string) => unknown): object {
  let changed: Map<string, unknown> | undefined;
  for (const name of Object.keys(value)) {
    const item = (value as Record<string, unknown>)[name];
    const replaced = replace(item, name);
    if (replaced !== item) (changed ??= new Map(Object.entries(value))).set(name, replaced);
  }
  // Unlike an assignment, `fromEntries` keeps a key `__proto__`.
  return changed ? Object.fromEntries(changed) : value;
}
