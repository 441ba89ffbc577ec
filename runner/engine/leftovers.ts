import type { RunnerClient } from "../steps/kind.ts";
import type { Entity } from "../events/results.ts";

/** How long the timeline of one run may take to come. */
const TIMEOUT = 2000;

/** Checkpoints of what a run began as runs of their own. */
const CHILDREN = /^(child|spawn|fanout):/;

/** An event that a recipe has published. */
export interface Published {
  /** Its id. */
  event_id: string;
  /** Its name. */
  name: string;
}

/**
 * A published event stays on the server until some run takes it. One that no run of its own recipe
 * took would wake a later, unrelated run. A child of one of its runs may have taken any: servers do
 * not tell which children a run has, so nothing is said then.
 *
 * @returns The events that none of the runs took.
 */
export async function findLeftovers(
  published: readonly Published[],
  entities: readonly Entity[],
  client: RunnerClient,
  signal: AbortSignal,
): Promise<Published[]> {
  if (published.length === 0) return [];
  const taken = new Set<string>();
  for (const { kind, id } of entities) {
    if (kind !== "run") continue;
    for (const entry of await client.workflowTimeline(id, { timeout: TIMEOUT, signal })) {
      if (CHILDREN.test(entry.step_name)) return [];
      const event = entry.data as { id?: unknown } | null | undefined;
      if (typeof event?.id === "string") taken.add(event.id);
    }
  }
  return published.filter(({ event_id }) => !taken.has(event_id));
}
