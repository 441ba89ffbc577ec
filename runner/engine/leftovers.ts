import type { Entity } from "../events/results.ts";
import type { PublishedEvent, RunnerClient } from "../steps/context.ts";

/** How long the server may take to return the timeline of one run, in milliseconds. */
const TIMELINE_TIMEOUT = 2000;

/** The checkpoints of runs that a run has started itself. */
const CHILD_CHECKPOINT = /^(child|spawn|fanout):/;

/**
 * Returns the published events that no run of the recipe has consumed. Such an event stays queued on
 * the server and wakes the next run that waits for its name, even one of another recipe.
 *
 * If one of the runs has child runs, the result is empty: a child may have consumed any of the
 * events, and the server does not list children.
 */
export async function findLeftovers(
  published: readonly PublishedEvent[],
  entities: readonly Entity[],
  client: RunnerClient,
  signal: AbortSignal,
): Promise<PublishedEvent[]> {
  if (published.length === 0) return [];
  const consumed = new Set<string>();
  for (const { kind, id } of entities) {
    if (kind !== "run") continue;
    for (const entry of await client.workflowTimeline(id, { timeout: TIMELINE_TIMEOUT, signal })) {
      if (CHILD_CHECKPOINT.test(entry.step_name)) return [];
      const event = entry.data as { id?: unknown } | null | undefined;
      if (typeof event?.id === "string") consumed.add(event.id);
    }
  }
  return published.filter(({ event_id }) => !consumed.has(event_id));
}
