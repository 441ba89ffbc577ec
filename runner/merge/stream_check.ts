import type { RecipeEvent, RunCounts } from "../events/event.ts";
import { countCase, countSkipped, noCounts } from "../events/counts.ts";
import { MergeError, type StreamFile } from "./streams.ts";

/**
 * Checks that the events of a stream agree with each other: one that was edited, or put together from
 * several, would give a wrong verdict.
 */
export class StreamCheck {
  readonly #path: string;
  readonly #started: StreamFile["started"];
  readonly #counts: RunCounts = noCounts();
  /** The cases that have begun, and whether they have ended. */
  readonly #cases = new Map<number, boolean>();

  /** Checks the events of a file that begins with an event. */
  constructor(path: string, started: StreamFile["started"]) {
    this.#path = path;
    this.#started = started;
  }

  /**
   * Takes the next event.
   * @throws {MergeError} When it does not agree with those before it.
   */
  take(event: RecipeEvent): void {
    const why = this.#mistake(event);
    if (why === undefined) return;
    throw new MergeError(`Cannot merge '${this.#path}': ${why}`, "bad_stream");
  }

  #mistake(event: RecipeEvent): string | undefined {
    if (event.type === "run.started") {
      const isSame = JSON.stringify(event) === JSON.stringify(this.#started);
      return isSame ? undefined : "it was changed meanwhile";
    }
    if (event.type === "run.finished") {
      const [told, found] = [event.counts, this.#counts].map(countedCases);
      if (told === found) return undefined;
      return `its last event counts ${told}, but its cases are ${found}`;
    }
    const number = event.case;
    if (number === undefined) return undefined;
    const { shard, cases } = this.#started;
    if (number >= (shard?.cases.length ?? cases)) {
      return `it has an event of case ${number}, but its first event has no such case`;
    }
    const hasEnded = this.#cases.get(number);
    const isEnd = event.type === "case.finished" || event.type === "case.skipped";
    const begins = event.type === "case.started" || event.type === "case.skipped";
    if (hasEnded === undefined && !begins && event.type !== "warning") {
      return `it has an event \`${event.type}\` of case ${number} before the case begins`;
    }
    // What a recipe did not wait for can follow the end of its case.
    if (!isEnd && event.type !== "case.started") return undefined;
    // A case begins anew with each attempt.
    const isAttempt = event.type === "case.started" && event.attempt !== undefined;
    if (hasEnded || (begins && hasEnded === false && !isAttempt)) {
      return `it has case ${number} twice`;
    }
    this.#cases.set(number, isEnd);
    if (event.type === "case.finished") countCase(this.#counts, event);
    else if (event.type === "case.skipped") countSkipped(this.#counts, event);
    return undefined;
  }
}

/** The cases that were counted, in words. */
function countedCases({ warnings: _, ...counts }: RunCounts): string {
  const words = Object.entries(counts).filter(([, count]) => count > 0).sort()
    .map(([name, count]) => `${count} ${name}`);
  return words.length === 0 ? "none" : words.join(", ");
}
