import type { Clock } from "../../runtime/clock.ts";
import { Deadline, momentIn } from "../events/deadline.ts";
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

/** Returns the warning about an event that no run has consumed. */
export function leftoverWarning({ event_id, name }: PublishedEvent): string {
  return `event \`${name}\` (${event_id}) was not consumed by this recipe's runs; it stays queued and will wake the next run that waits for \`${name}\``;
}

/** How long the check at the end of a run may take, in milliseconds. */
const CHECK_TIMEOUT = 10_000;

/**
 * The events that cases which ran at the same time have not consumed themselves. A run of one case
 * may have consumed the event of another, so they are looked for when all cases have ended.
 */
export class SiblingLeftovers {
  #left: { caseName: string; event: PublishedEvent }[] = [];
  #entities: Entity[] = [];

  /** Adds the unconsumed events of a case, and all its jobs and runs. */
  add(caseName: string, left: readonly PublishedEvent[], entities: readonly Entity[]): void {
    this.#left.push(...left.map((event) => ({ caseName, event })));
    this.#entities.push(...entities);
  }

  /** Returns the warnings about events that no case has consumed. */
  async warnings(client: RunnerClient, clock: Clock): Promise<string[]> {
    const until = momentIn(clock, CHECK_TIMEOUT);
    using deadline = new Deadline(clock, until, new AbortController().signal);
    try {
      const events = this.#left.map(({ event }) => event);
      const still = new Set(await findLeftovers(events, this.#entities, client, deadline.signal));
      return this.#left.filter(({ event }) => still.has(event))
        .map(({ caseName, event }) => `${caseName}: ${leftoverWarning(event)}`);
    } catch (error) {
      return [`Cannot check for unconsumed events: ${(error as Error).message}`];
    }
  }
}
