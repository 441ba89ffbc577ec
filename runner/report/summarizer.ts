import type {
  CaseFinished,
  CaseRetried,
  CaseSkipped,
  CaseStarted,
  EventFailure,
  RecipeEvent,
  RunCounts,
  StepEvent,
  StepFinished,
  StepStarted,
} from "../events/event.ts";
import { countCase, countSkipped, noCounts } from "../events/counts.ts";
import type { Reporter } from "./reporter.ts";
import {
  type CaseSummary,
  RUN_SUMMARY_VERSION,
  type RunSummary,
  type StepSummary,
} from "./run_summary.ts";

/** A case that has not ended, and which parts of it are still running. */
interface CaseState {
  summary: CaseSummary;
  /** When the current attempt started. */
  attemptAt: string;
  /** The steps that have not ended, by phase and number. */
  running: Map<string, StepSummary>;
}

/**
 * Makes a reporter that writes a summary of the run when it has ended. If the events stop before
 * the run has ended, the summary says that it was interrupted.
 *
 * @param digest Makes of a case that has ended what the summary needs: the steps of 100,000 cases would
 * take a gigabyte.
 * @param write Writes the summary, in which there are no cases; what `digest` has returned is in the
 * order of their numbers.
 */
export function summaryReporter<T>(
  digest: (summary: CaseSummary) => T,
  write: (run: RunSummary, digests: T[]) => void | Promise<void>,
): Reporter {
  const summarizer = new Summarizer();
  const digests: T[] = [];
  const add = (summary: CaseSummary) => {
    digests[summary.case] = digest(summary);
  };
  return {
    report(event) {
      const ended = summarizer.report(event);
      if (ended) add(ended);
    },
    finish() {
      for (const summary of summarizer.close()) add(summary);
      // Without the places of cases that did not start.
      return write(summarizer.summary(), Object.values(digests));
    },
  };
}

/** Drops the steps and logs of a case of which nothing but the result is worth telling. */
export function withoutDetails(summary: CaseSummary): CaseSummary {
  const { status, flaky, warnings, retries, steps } = summary;
  const isPlain = status === "passed" && !flaky && warnings.length === 0 && !retries &&
    steps.every(({ failure }) => !failure);
  return isPlain ? { ...summary, vars: {}, steps: [], logs: [] } : summary;
}

/** Collects the events of a run, and forgets cases that have ended. */
export class Summarizer {
  /** The cases that have not ended. */
  #cases = new Map<number, CaseState>();
  /** One string for each file, of which each event that was read has its own. */
  #files = new Map<string, string>();
  /** The number of cases that have ended. */
  #ended = 0;
  #counts = noCounts();
  #warnings: string[] = [];
  #server = "";
  #isVirtual = false;
  #plannedCases = 0;
  #firstTime: string | undefined;
  #lastTime: string | undefined;
  #finished: (RecipeEvent & { type: "run.finished" }) | undefined;

  /**
   * Receives one event.
   * @returns The case that ended with this event, if one did.
   */
  report(event: RecipeEvent): CaseSummary | undefined {
    this.#firstTime ??= event.ts;
    this.#lastTime = event.ts;
    switch (event.type) {
      case "run.started":
        this.#server = event.server;
        this.#isVirtual = event.clock === "virtual";
        this.#plannedCases = event.cases;
        return;
      case "case.started":
        return this.#startCase(event);
      case "case.retried":
        return this.#retryCase(event);
      case "step.started":
        return this.#startStep(event);
      case "step.retried": {
        const { attempt, ts, failure } = event;
        const step = this.#cases.get(event.case)?.running.get(keyOf(event));
        step?.retries.push({ attempt, at: ts, failure });
        return;
      }
      case "step.finished":
        return this.#finishStep(event);
      case "log": {
        const { ts, step, text } = event;
        this.#cases.get(event.case)?.summary.logs.push({ at: ts, step, text });
        return;
      }
      case "warning": {
        const owner = event.case === undefined ? undefined : this.#cases.get(event.case);
        (owner?.summary.warnings ?? this.#warnings).push(event.text);
        return;
      }
      case "case.finished":
        return this.#finishCase(event);
      case "case.skipped":
        return this.#end(emptyCase(event));
      case "run.finished":
        this.#finished = event;
        return;
    }
  }

  /** Marks the cases that have not ended as interrupted, and returns them. */
  close(): CaseSummary[] {
    const open = [...this.#cases.values()].map(({ summary, running }) => {
      const failure: EventFailure = { kind: "interrupted", message: NO_END, lines: [] };
      for (const step of running.values()) {
        step.duration_ms = between(step.started_at, this.#lastTime);
        step.failure = { ...failure, place: step.place, step: step.step };
        summary.failure ??= step.failure;
      }
      summary.duration_ms = between(summary.started_at, this.#lastTime);
      summary.failure ??= failure;
      return this.#end(summary);
    });
    this.#cases.clear();
    return open;
  }

  /** The run so far, without its cases. */
  summary(): RunSummary {
    const finished = this.#finished;
    const started_at = this.#firstTime ?? NEVER;
    const finished_at = this.#lastTime ?? NEVER;
    return {
      version: RUN_SUMMARY_VERSION,
      server: this.#server,
      started_at,
      finished_at,
      duration_ms: finished?.duration_ms ?? between(started_at, finished_at),
      ...(this.#isVirtual ? { clock: "virtual" as const } : {}),
      ...(finished?.real_ms === undefined ? {} : { real_ms: finished.real_ms }),
      interrupted: finished?.interrupted ?? true,
      ...(finished === undefined ? {} : { exit_code: finished.exit_code }),
      counts: finished?.counts ?? this.#count(),
      cases: [],
      warnings: this.#warnings,
      ...(finished?.failed_by === undefined ? {} : { failed_by: finished.failed_by }),
    };
  }

  #startCase(event: CaseStarted): undefined {
    const summary = emptyCase(event);
    const earlier = this.#cases.get(event.case)?.summary;
    if (event.attempt !== undefined && earlier?.retries) {
      const { retries, started_at } = earlier;
      Object.assign(summary, { started_at, attempts: event.attempt, retries });
    }
    const state = { summary, attemptAt: event.ts, running: new Map() };
    this.#cases.set(event.case, state);
  }

  /** Keeps what an attempt did, and begins the case anew. */
  #retryCase({ case: index, attempt, status, duration_ms, failure }: CaseRetried): undefined {
    const state = this.#cases.get(index);
    if (!state) return;
    const { summary, attemptAt } = state;
    const { steps, logs, warnings } = summary;
    (summary.retries ??= []).push({
      ...{ attempt, status, started_at: attemptAt, duration_ms },
      ...(failure ? { failure } : {}),
      ...{ steps, logs, warnings },
    });
    Object.assign(summary, { steps: [], logs: [], warnings: [] });
    state.running.clear();
  }

  #startStep(event: StepStarted): undefined {
    const state = this.#cases.get(event.case);
    // A retry of a step has the same key as its first attempt.
    if (!state || state.running.has(keyOf(event))) return;
    const { step, phase, kind, label, id, place, ts } = event;
    const summary: StepSummary = {
      step,
      phase,
      kind,
      label,
      ...(id === undefined ? {} : { id }),
      place,
      status: "interrupted",
      started_at: ts,
      duration_ms: 0,
      attempts: event.attempt,
      retries: [],
      soft: false,
    };
    state.running.set(keyOf(event), summary);
    state.summary.steps.push(summary);
  }

  #finishStep(event: StepFinished): undefined {
    const state = this.#cases.get(event.case);
    if (!state) return;
    const { type: _, ts: __, case: ___, ...result } = event;
    const step = state.running.get(keyOf(event));
    state.running.delete(keyOf(event));
    if (step) Object.assign(step, result);
    else state.summary.steps.push({ ...result, retries: [] });
  }

  #finishCase(event: CaseFinished): CaseSummary | undefined {
    const state = this.#cases.get(event.case);
    if (!state) return;
    const { type: _, ts: __, ...result } = event;
    this.#cases.delete(event.case);
    const file = this.#files.get(event.file) ?? event.file;
    this.#files.set(file, file);
    return this.#end(Object.assign(state.summary, result, { file }));
  }

  /** Counts a case that has ended. */
  #end(summary: CaseSummary): CaseSummary {
    const { status, reason = "bail", warnings, retries = [] } = summary;
    const counts = this.#counts;
    if (status === "skipped") countSkipped(counts, { reason });
    else countCase(counts, { ...summary, status });
    for (const one of [{ warnings }, ...retries]) counts.warnings += one.warnings.length;
    this.#ended++;
    return summary;
  }

  /** The counts of a run that has no end. */
  #count(): RunCounts {
    const counts = { ...this.#counts };
    counts.interrupted += Math.max(0, this.#plannedCases - this.#ended);
    counts.warnings += this.#warnings.length;
    return counts;
  }
}

/** The failure of steps and cases whose end is missing. */
const NO_END = "the run stopped before this ended";

/** The time of a run without events. */
const NEVER = "1970-01-01T00:00:00.000Z";

function emptyCase(event: CaseStarted | CaseSkipped): CaseSummary {
  const started = event.type === "case.started";
  return {
    case: event.case,
    name: event.name,
    file: event.file,
    tags: started ? event.tags : [],
    vars: started ? event.vars : {},
    ...(started && event.matrix !== undefined ? { matrix: event.matrix } : {}),
    ...(started && event.quarantine !== undefined ? { quarantine: event.quarantine } : {}),
    // A later event changes it when the case ends.
    status: started ? "interrupted" : "skipped",
    ...(started ? { started_at: event.ts } : { reason: event.reason }),
    flaky: false,
    duration_ms: 0,
    steps: [],
    logs: [],
    warnings: [],
  };
}

function keyOf({ phase, step }: StepEvent): string {
  return `${phase} ${step}`;
}

function between(from: string | undefined, to: string | undefined): number {
  if (from === undefined || to === undefined) return 0;
  return Math.max(0, Date.parse(to) - Date.parse(from));
}
