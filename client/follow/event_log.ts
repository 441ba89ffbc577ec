import type { DispatchEvent } from "../../protocol/event.ts";
import type { Gap } from "../gap.ts";

/**
 * A synthesized event and the real one describe the same occurrence if their times differ by less
 * than this many milliseconds; two attempts differ by more.
 */
const SAME_MOMENT = 25;

/** The types of events that can occur more than once for one entity and step. */
const REPEATED = /^job.(start|retry)|step_failed/;

/** The events and gaps of one entity, in order and without duplicates. */
export class EventLog<E extends DispatchEvent> {
  readonly items: (E | Gap)[] = [];
  readonly #keys = new Set<string>();
  /** The times of synthesized events, by name. Their real events may still arrive. */
  readonly #synthesized = new Map<string, number>();

  /** Appends an item, unless it is an event that the log contains already. */
  append(item: E | Gap): void {
    if (item.type !== "gap") {
      const name = nameOf(item);
      const key = REPEATED.test(item.type) ? `${name} ${item.ts}` : name;
      if (this.#keys.has(key) || this.#isSynthesized(name, item.ts)) return;
      this.#keys.add(key);
    }
    this.items.push(item);
  }

  /** Records that an event was synthesized, so that the real one is a duplicate. */
  markSynthesized(item: E | Gap): void {
    // A gap has no time, and its name is no event's.
    this.#synthesized.set(nameOf(item), Date.parse((item as E).ts));
  }

  #isSynthesized(name: string, ts: string): boolean {
    // NaN, and so false, without a synthesized event of that name.
    return Math.abs(Date.parse(ts) - this.#synthesized.get(name)!) < SAME_MOMENT;
  }
}

/** Names what happened, without the time. */
export function nameOf(item: DispatchEvent | Gap): string {
  if (item.type === "gap") return `gap ${item.since}`;
  return "step_name" in item.data ? `${item.type} ${item.data.step_name}` : item.type;
}
