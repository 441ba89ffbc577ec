import type { DispatchEvent } from "../../protocol/event.ts";
import type { Gap } from "../gap.ts";

/**
 * A synthesized event and the real one describe the same occurrence if their times differ by less
 * than this many milliseconds; two attempts differ by more.
 */
const SAME_MOMENT = 25;

/** The types of events that can occur more than once for one entity and step. */
const REPEATED = /^job.(start|retry)|step_failed/;

/** The fields that say what an event or gap is about. */
interface Named {
  type: string;
  since?: string;
  data: { step_name?: string };
}

/** The events and gaps of one entity, in order and without duplicates. */
export class EventLog<E extends DispatchEvent> {
  readonly items: (E | Gap)[] = [];
  /**
   * The names of the items, and those of repeated events with their times. The value is the time of
   * a synthesized event, whose real one may still arrive.
   */
  readonly #names = new Map<string, number | undefined>();

  /**
   * Appends an item, unless it is an event that the log contains already.
   * @param isPast Whether it was synthesized, so that the real one is a duplicate.
   */
  append(item: E | Gap, isPast?: boolean): void {
    const name = nameOf(item);
    const synthesizedAt = this.#names.get(name);
    const key = REPEATED.test(item.type) ? name + (item as E).ts : name;
    // NaN, and so false, without a synthesized event of that name.
    const time = timeOf(item);
    const isSynthesized = Math.abs(time - synthesizedAt!) < SAME_MOMENT;
    if (item.type !== "gap" && (this.#names.has(key) || isSynthesized)) return;
    this.#names.set(key, undefined).set(name, isPast ? time : synthesizedAt);
    this.items.push(item);
  }

  /** Whether an event or gap of this name is in the log. */
  has(name: string): boolean {
    return this.#names.has(name);
  }
}

/** Names what happened, without the time. */
export function nameOf(item: DispatchEvent | Gap): string {
  const { type, since, data } = item as Named;
  return type + (since ?? data.step_name ?? "");
}

/** The time of an event in milliseconds since 1970; NaN for a gap. */
export function timeOf(item: DispatchEvent | Gap | undefined): number {
  return Date.parse((item as DispatchEvent)?.ts);
}
