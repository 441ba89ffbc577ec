import type { EventFailure, EventPlace } from "../../events/event.ts";
import { failureLines, runLine, shown, shownInLine, verdict } from "../plain_text.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import type { Annotation } from "./annotation.ts";

/** GitHub shows no more of one level for one step of a job. */
const MOST = 10;
/** GitHub takes 64 KiB, and shows the first lines. */
const LONGEST = 8_000;

/**
 * What a run has to say beside the lines of its recipes: an error for each case that did not pass, a
 * warning for what fails nothing, a notice for each flaky case; of each no more than GitHub shows.
 * @param pathOf A file's path from the root of the repository.
 */
export function annotationsOf(run: RunSummary, pathOf: (file: string) => string): Annotation[] {
  const at = (file: string, place?: EventPlace): Partial<Annotation> => ({
    file: pathOf(place?.file ?? file),
    ...(place === undefined || place.line < 1 ? {} : {
      line: place.line,
      column: place.column,
      endColumn: place.column + place.length,
    }),
  });
  const errors: Annotation[] = [];
  const warnings: Annotation[] = [];
  const notices: Annotation[] = [];
  if (run.interrupted) errors.push({ level: "error", title: "Interrupted", message: runLine(run) });
  for (const one of run.cases) {
    const title = shownInLine(one.name, 200);
    const message = messageOf(one, one.failure);
    if (["failed", "errored", "unchecked"].includes(one.status)) {
      errors.push({ level: "error", title, message, ...at(one.file, one.failure?.place) });
    }
    for (const { soft, failure } of one.steps) {
      if (!soft || !failure) continue;
      const place = at(one.file, failure.place);
      warnings.push({ level: "warning", title, message: messageOf(one, failure), ...place });
    }
    for (const text of one.warnings) {
      warnings.push({ level: "warning", title, message: shown(text, LONGEST), ...at(one.file) });
    }
    const retried = one.flaky ? one.steps.find(({ retries }) => retries.length > 0) : undefined;
    if (one.flaky) {
      const [first] = retried?.retries ?? [];
      const why = first === undefined ? "" : `\n${messageOf(one, first.failure)}`;
      const place = at(one.file, retried?.place);
      notices.push({
        level: "notice",
        title,
        message: `flaky: it passed only on a later attempt${why}`,
        ...place,
      });
    }
  }
  for (const text of run.warnings) {
    warnings.push({ level: "warning", title: "Warning", message: shown(text, LONGEST) });
  }
  return [errors, warnings, notices].flatMap(limited);
}

function messageOf(one: CaseSummary, failure: EventFailure | undefined): string {
  if (!failure) return verdict(one);
  const { place: _, ...rest } = failure;
  return shown(failureLines(rest).join("\n"), LONGEST);
}

/** The last one that is shown says how many are not. */
function limited(annotations: readonly Annotation[]): Annotation[] {
  const more = annotations.length - MOST;
  return annotations.slice(0, MOST).map((one, i) =>
    more <= 0 || i < MOST - 1 ? one : {
      ...one,
      message: `${one.message}\n… and ${more} more ${one.level}${more === 1 ? "" : "s"}, ` +
        `of which GitHub shows none: see the job's summary`,
    }
  );
}
