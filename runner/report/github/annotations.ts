import type { EventFailure, EventPlace } from "../../events/event.ts";
import { isExcused } from "../../events/failure.ts";
import {
  caseVerdict,
  failureLines,
  quarantineText,
  runVerdict,
  safeLine,
  safeText,
} from "../plain_text.ts";
import type { CaseSummary, RunSummary } from "../run_summary.ts";
import type { Annotation } from "./workflow_command.ts";

/** GitHub shows this many annotations of one level for one step of a job. */
const MAX_PER_LEVEL = 10;
/** GitHub accepts 64 KiB per annotation, and shows the first lines. */
const MAX_MESSAGE = 8_000;

/**
 * Makes the annotations of a run: an error for each case that did not pass, a warning for each soft
 * failure and each warning, and a notice for each flaky case. It drops those that GitHub would not
 * show.
 *
 * @param pathOf Makes the path of a file relative to the root of the repository.
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
  const excused: Annotation[] = [];
  const warnings: Annotation[] = [];
  const notices: Annotation[] = [];
  if (run.interrupted) {
    errors.push({ level: "error", title: "Interrupted", message: runVerdict(run) });
  }
  if (run.failed_by === "flaky") {
    errors.push({ level: "error", title: "Flaky", message: runVerdict(run) });
  }
  for (const summary of run.cases) {
    const { name, file, status, failure, steps, quarantine } = summary;
    const title = safeLine(name, 200);
    if (["failed", "errored", "unchecked"].includes(status)) {
      const message = messageOf(summary, failure);
      const place = at(file, failure?.place);
      if (quarantine && isExcused(summary)) {
        const text = `${quarantineText(quarantine)}\n${message}`;
        excused.push({ level: "warning", title, message: text, ...place });
      } else errors.push({ level: "error", title, message, ...place });
    }
    for (const { soft, failure } of steps) {
      if (!soft || !failure) continue;
      const message = messageOf(summary, failure);
      warnings.push({ level: "warning", title, message, ...at(file, failure.place) });
    }
    const attempts = [...summary.retries ?? [], summary];
    for (const text of attempts.flatMap(({ warnings }) => warnings)) {
      const message = safeText(text, MAX_MESSAGE);
      warnings.push({ level: "warning", title, message, ...at(file) });
    }
    if (!summary.flaky) continue;
    const retried = steps.find(({ retries }) => retries.length > 0);
    const [first] = [...summary.retries ?? [], ...retried?.retries ?? []];
    const why = first?.failure === undefined ? "" : `\n${messageOf(summary, first.failure)}`;
    const message = `flaky: it passed only after a retry${why}`;
    notices.push({
      level: "notice",
      title,
      message,
      ...at(file, retried?.place ?? first?.failure?.place),
    });
  }
  for (const text of run.warnings) {
    warnings.push({ level: "warning", title: "Warning", message: safeText(text, MAX_MESSAGE) });
  }
  // A case that failed says more than a remark, so it is the last to be dropped.
  return [errors, [...excused, ...warnings], notices].flatMap(limit);
}

function messageOf(summary: CaseSummary, failure: EventFailure | undefined): string {
  if (!failure) return caseVerdict(summary);
  const { place: _, ...rest } = failure;
  return safeText(failureLines(rest).join("\n"), MAX_MESSAGE);
}

/** Keeps as many annotations as GitHub shows; the last one says how many are missing. */
function limit(annotations: readonly Annotation[]): Annotation[] {
  const dropped = annotations.length - MAX_PER_LEVEL;
  const kept = annotations.slice(0, MAX_PER_LEVEL);
  const last = kept.at(-1);
  if (dropped <= 0 || !last) return kept;
  const more = `… and ${dropped} more ${last.level}${dropped === 1 ? "" : "s"}, ` +
    "which GitHub does not show here: see the summary of the job";
  return [...kept.slice(0, -1), { ...last, message: `${last.message}\n${more}` }];
}
