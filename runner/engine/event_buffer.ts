import type { LoggedEvent } from "../events/results.ts";

/** How many events are kept. */
export const MAX_EVENTS = 10_000;
/**
 * The size that the kept events may have: the characters of their texts, and a little for each
 * value.
 */
const MAX_SIZE = 32_000_000;

/** Returns the warning about a stream whose oldest events are no longer kept. */
export function tooManyEvents(what: string): string {
  return `${what} has had too many events to keep: steps see the newest ${MAX_EVENTS} at most, and fewer if they are large`;
}

/** The newest events of a stream that can be endless. */
export class EventBuffer {
  /** The events that are kept, the oldest first. */
  readonly events: LoggedEvent[] = [];
  /** How many events came before them and are not kept. */
  dropped = 0;
  #sizes: number[] = [];
  #size = 0;

  /**
   * Adds an event.
   *
   * @returns Whether this was the first event that pushed out older ones.
   */
  add(event: LoggedEvent): boolean {
    this.events.push(event);
    const size = sizeOf(event);
    this.#sizes.push(size);
    this.#size += size;
    if (this.events.length <= MAX_EVENTS && this.#size <= MAX_SIZE) return false;
    const isFirst = this.dropped === 0;
    this.#drop();
    return isFirst && this.dropped > 0;
  }

  /** Drops the oldest events until there is some room again. The newest event stays. */
  #drop(): void {
    let count = 0;
    while (
      count < this.events.length - 1 &&
      (this.events.length - count > MAX_EVENTS * 0.9 || this.#size > MAX_SIZE * 0.9)
    ) {
      this.#size -= this.#sizes[count++]!;
    }
    this.events.splice(0, count);
    this.#sizes.splice(0, count);
    this.dropped += count;
  }
}

/** Estimates the size of a value without building its text. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length + 16;
  if (typeof value !== "object" || value === null) return 16;
  let size = 32;
  for (const key in value) size += key.length + sizeOf((value as Record<string, unknown>)[key]);
  return size;
}
