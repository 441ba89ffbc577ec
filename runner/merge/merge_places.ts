import { endOfRun } from "../engine/verdict.ts";
import { countCase, countSkipped, noCounts } from "../events/counts.ts";
import type { CaseFinished, CaseSkipped, CaseStatus, RecipeEvent } from "../events/event.ts";
import type { ChosenParts } from "./choose_parts.ts";
import { commonStart, inOrder, PlanReader, warning } from "./merge_parts.ts";

/** A run of the plan from one place. */
export interface Place {
  /** The name to show. */
  name: string;
  /** The streams of its parts. */
  chosen: ChosenParts;
}

/**
 * Leaves out places whose streams are copies of those of another place, and says so. Of those that are
 * the same the one that has most counts.
 */
export function withoutCopies(all: readonly Place[]): { places: Place[]; copies: string[] } {
  const places = new Map<string, Place>();
  const copies: string[] = [];
  for (const place of all) {
    // No two runs of a part begin at the same time.
    const begins = JSON.stringify(place.chosen.parts.map(({ started }) => started));
    const first = places.get(begins) ?? place;
    if (first !== place) {
      copies.push(`'${place.name}' is a copy of '${first.name}', and no other place`);
    }
    places.set(begins, sizeOf(place) > sizeOf(first) ? { ...place, name: first.name } : first);
  }
  return { places: [...places.values()], copies };
}

function sizeOf({ chosen }: Place): number {
  return chosen.parts.reduce((sum, { size }) => sum + size, 0);
}

/** How many places must agree. */
export interface Quorum {
  /** A case fails when it has not passed in so many places. */
  needed: number;
  /** How many places there are. */
  total: number;
}

/** What a place saw of a case. */
interface Sight {
  place: string;
  events: readonly RecipeEvent[];
  finished: CaseFinished;
}

/**
 * Makes one run of the same plan from several places. A case fails when so many places say so; else
 * it has the result of a place where it passed. A warning in the case says who saw what.
 *
 * @param notes What a reader of the report has to know about other streams.
 */
export async function* mergePlaces(
  places: readonly Place[],
  { needed, total }: Quorum,
  notes: readonly string[] = [],
): AsyncGenerator<RecipeEvent[]> {
  await using stack = new AsyncDisposableStack();
  const readers = places.map(({ name, chosen }) => {
    return { name, reader: stack.use(new PlanReader(chosen)) };
  });
  const counts = noCounts();
  const [first] = readers;
  const starts = readers.map(({ reader }) => reader.started);
  yield [{ ...first!.reader.started, ...commonStart(starts) }];
  for (let number = 0; number < places[0]!.chosen.planned; number++) {
    const sights: Sight[] = [];
    let skipped: CaseSkipped | undefined;
    for (const { name, reader } of readers) {
      const events = await reader.take(number);
      const finished = events.find((event): event is CaseFinished =>
        event.type === "case.finished"
      );
      if (finished) sights.push({ place: name, events, finished });
      skipped ??= events.find((event) => event.type === "case.skipped");
    }
    const chosen = decide(sights, needed);
    if (!chosen && skipped) {
      countSkipped(counts, skipped);
      yield [skipped];
    }
    if (!chosen) continue;
    countCase(counts, chosen.finished);
    for (const event of chosen.events) {
      if (event === chosen.finished && !doAgree(sights)) {
        counts.warnings++;
        yield [{ ...warning(describe(sights), event.ts), case: number }];
      }
      if (event.type === "warning") counts.warnings++;
      yield [event];
    }
  }
  const ends = [];
  const problems: string[] = [...notes];
  for (const { name, reader } of readers) {
    for (const event of await reader.end()) {
      // What follows the end of a case may be of a case that another place decides.
      if (event.type !== "warning" || event.case !== undefined) continue;
      counts.warnings++;
      yield [warning(`${name}: ${event.text}`, event.ts)];
    }
    ends.push(reader.finished());
    problems.push(...reader.problems().map((text) => `${name}: ${text}`));
  }
  if (places.length < total) {
    problems.push(`only ${places.length} of ${total} places have streams`);
  }
  const ts = inOrder(ends.map((end) => end.ts)).at(-1)!;
  yield problems.map((text) => warning(text, ts));
  counts.warnings += problems.length;
  const isInterrupted = ends.some(({ interrupted }) => interrupted);
  const isIncomplete = places.length < total || readers.some(({ reader }) => reader.isIncomplete);
  const isFailedByFlaky = counts.flaky > 0 && ends.some(({ failed_by }) => failed_by === "flaky");
  const end = { isInterrupted, wasCalledToExit: false, isPart: false, isFailedByFlaky };
  const { exit_code, ...why } = endOfRun(counts, end);
  yield [{
    type: "run.finished",
    exit_code: isIncomplete && !isInterrupted ? 3 : exit_code,
    interrupted: isInterrupted,
    duration_ms: Math.max(...ends.map(({ duration_ms }) => duration_ms)),
    counts,
    ...why,
    ts,
  }];
}

/** Which outcome counts if a case has not passed in several places. */
const WORST_FIRST: readonly CaseStatus[] = ["failed", "errored", "unchecked", "interrupted"];

/** Chooses what counts of a case. The order of the places must not change its outcome. */
function decide(sights: readonly Sight[], needed: number): Sight | undefined {
  const passed = sights.filter(({ finished: { status } }) => status === "passed");
  if (passed.length > 0 && sights.length - passed.length < needed) {
    const flaky = passed.filter(({ finished }) => finished.flaky);
    const clean = passed.filter(({ finished }) => !finished.flaky);
    return flaky.length >= needed ? flaky[0] : clean[0] ?? flaky[0];
  }
  const rank = ({ finished: { status } }: Sight) => WORST_FIRST.indexOf(status);
  return sights.filter((sight) => !passed.includes(sight)).sort((a, b) => rank(a) - rank(b))[0];
}

function doAgree(sights: readonly Sight[]): boolean {
  return new Set(sights.map(({ finished: { status } }) => status)).size <= 1;
}

function describe(sights: readonly Sight[]): string {
  const parts = sights.map(({ place, finished: { status, failure } }) =>
    `${status} in ${place}${failure ? ` (${failure.message})` : ""}`
  );
  return `the places do not agree: ${parts.join(", ")}`;
}
