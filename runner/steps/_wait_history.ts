import type { Observed } from "../events/event.ts";
import type { Entity } from "../events/results.ts";
import { formatDuration } from "../language/duration.ts";
import type { EntityReading } from "./_entity_reading.ts";

/** The states and checkpoints that a wait has seen. Times are in milliseconds since it began. */
export class WaitHistory {
  #entity: Entity;
  #began: number;
  #name = "";
  #states: { state: string; at: number }[] = [];
  #checkpoints = new Map<string, { at: number; created_at: string }>();

  /** Creates an empty history of a wait that began at `began`, in milliseconds since 1970. */
  constructor(entity: Entity, began: number) {
    this.#entity = entity;
    this.#began = began;
  }

  /** The name of the checkpoint seen last. */
  get lastCheckpoint(): string | undefined {
    return [...this.#checkpoints.keys()].at(-1);
  }

  /** When a state or checkpoint was seen for the first time, most recently. */
  get lastChange(): number {
    const last = [...this.#checkpoints.values()].at(-1);
    return Math.max(this.#states.at(-1)?.at ?? 0, last?.at ?? 0);
  }

  /** Adds what was read, at a time in milliseconds since the wait began. */
  add({ state, job, run, timeline }: EntityReading, at: number): void {
    this.#name = (job ?? run)!.name;
    if (this.#states.at(-1)?.state !== state) this.#states.push({ state, at });
    for (const { step_name, created_at } of timeline) {
      if (!this.#checkpoints.has(step_name)) this.#checkpoints.set(step_name, { at, created_at });
    }
  }

  /** Returns the history as lines of a message. */
  lines(): string[] {
    if (this.#states.length === 0) return [];
    const states = this.#states.map(({ state, at }) => `${state} at ${formatDuration(at)}`);
    const lines = [`seen: ${states.join(", ")}`];
    if (this.#checkpoints.size === 0) return lines;
    const checkpoints = [...this.#checkpoints]
      .map(([name, { at }]) => `${name} at ${formatDuration(at)}`);
    return [...lines, `checkpoints: ${checkpoints.join(", ")}`];
  }

  /** Returns the history as events describe it. */
  observed(): Observed {
    const time = (at: number) => new Date(this.#began + at).toISOString();
    return {
      entity: { ...this.#entity, name: this.#name },
      states: this.#states.map(({ state, at }) => ({ state, at: time(at) })),
      timeline: [...this.#checkpoints].map(([step_name, { at, created_at }]) => ({
        step_name,
        at: time(at),
        created_at,
      })),
    };
  }
}
