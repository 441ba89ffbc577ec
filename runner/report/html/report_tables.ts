import { MAX_TEXT, truncate } from "../safe_text.ts";
import type { StepShape } from "./report_data.ts";

/**
 * Once all texts together have this many characters, further texts are cut to
 * {@linkcode MAX_LATE_TEXT}, so that a browser can still open the page.
 */
const TOTAL_TEXT = 32_000_000;
/** The longest a text may be once the total is reached. */
const MAX_LATE_TEXT = 500;

/**
 * What the cases of a report share: files, tags and steps that are stored once, the origin of
 * times, and the limit for the texts of the page.
 */
export class ReportTables {
  #files = new IndexedList();
  #tags = new IndexedList();
  #shapes = new IndexedList();
  #origin: number | undefined;
  #characters = 0;

  /** The files by index. */
  get files(): string[] {
    return this.#files.items;
  }

  /** The tags by index. */
  get tags(): string[] {
    return this.#tags.items;
  }

  /** The step shapes by index. */
  get shapes(): StepShape[] {
    return this.#shapes.items.map((json) => JSON.parse(json) as StepShape);
  }

  /** When the run started, in milliseconds since 1970. */
  get origin(): number {
    return this.#origin ?? 0;
  }

  /** Returns the index of a file, and adds it if it is new. */
  file(name: string): number {
    return this.#files.indexOf(name);
  }

  /** Returns the index of a tag, and adds it if it is new. */
  tag(name: string): number {
    return this.#tags.indexOf(name);
  }

  /** Returns the index of a step shape, and adds it if it is new. */
  shape(shape: StepShape): number {
    return this.#shapes.indexOf(JSON.stringify(shape));
  }

  /** Converts a time to milliseconds after the first time that was converted. */
  time(ts: string): number {
    const time = Date.parse(ts);
    this.#origin ??= time;
    return time - this.#origin;
  }

  /** Cuts a text that is too long for the page, and appends how much is missing. */
  truncate(text: string, limit: number = MAX_TEXT): string {
    const max = Math.min(limit, this.#characters > TOTAL_TEXT ? MAX_LATE_TEXT : MAX_TEXT);
    const kept = truncate(text, max);
    this.#characters += kept.length;
    return kept;
  }

  /** Cuts a list after a number of items, and appends how many are missing. */
  truncateList(lines: readonly string[], limit: number): string[] {
    const kept = lines.slice(0, limit).map((line) => this.truncate(line));
    if (lines.length > limit) kept.push(`… ${lines.length - limit} more are not in this report`);
    return kept;
  }
}

/** A list of unique strings with a fast `indexOf`, which adds new ones. */
class IndexedList {
  readonly items: string[] = [];
  #indexes = new Map<string, number>();

  indexOf(item: string): number {
    const known = this.#indexes.get(item);
    if (known !== undefined) return known;
    this.#indexes.set(item, this.items.length);
    return this.items.push(item) - 1;
  }
}
