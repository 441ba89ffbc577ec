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
import { isExcused } from "../events/failure.ts";
import type { Reporter } from "./reporter.ts";
import {
  type CaseSummary,
  RUN_SUMMARY_VERSION,
  type RunSummary,
  type StepSummary,
} from "./run_summary.ts";

/** A case, and which parts of it are still running. */
interface CaseState {
  summary: CaseSummary;
  /** When the current attempt started. */
  attemptAt: string;
  ended: boolean;
  /** The steps that have not ended, by phase and number. */
  running: Map<string, StepSummary>;
}

/**
 * Makes a reporter that writes a summary of the run when it has ended. If the events stop before
 * the run has ended, the summary says that it was interrupted.
 */
export function summaryReporter(write: (run: RunSummary) => void | Promise<void>): Reporter {
  const summarizer = new Summarizer();
  return {
    report: (event) => void summarizer.report(event),
    finish: () => write(summarizer.summary()),
  };
}

/** Collects the events of a run into a {@linkcode RunSummary}. */
export class Summarizer {
  #cases = new Map<number, CaseState>();
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
      case "case.skipped": {
        const summary = emptyCase(event);
        const state = { summary, attemptAt: event.ts, ended: true, running: new Map() };
        this.#cases.set(event.case, state);
        return summary;
      }
      case "run.finished":
        this.#finished = event;
        return;
    }
  }

  /** Marks the cases that have not ended as interrupted, and returns them. */
  close(): CaseSummary[] {
    const open = [...this.#cases.values()].filter(({ ended }) => !ended);
    for (const state of open) {
      const { summary, running } = state;
      state.ended = true;
      const failure: EventFailure = { kind: "interrupted", message: NO_END, lines: [] };
      for (const step of running.values()) {
        step.duration_ms = between(step.started_at, this.#lastTime);
        step.failure = { ...failure, place: step.place, step: step.step };
        summary.failure ??= step.failure;
      }
      running.clear();
      summary.duration_ms = between(summary.started_at, this.#lastTime);
      summary.failure ??= failure;
    }
    return open.map(({ summary }) => summary);
  }

  /** The run so far. It closes the cases that have not ended. */
  summary(): RunSummary {
    this.close();
    const cases = [...this.#cases.values()].map(({ summary }) => summary)
      .toSorted((a, b) => a.case - b.case);
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
      counts: finished?.counts ?? this.#count(cases),
      cases,
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
    const state = { summary, attemptAt: event.ts, ended: false, running: new Map() };
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
    state.ended = true;
    state.running.clear();
    return Object.assign(state.summary, result);
  }

  #count(cases: readonly CaseSummary[]): RunCounts {
    const counts: RunCounts = {
      passed: 0,
      failed: 0,
      errored: 0,
      unchecked: 0,
      interrupted: Math.max(0, this.#plannedCases - cases.length),
      skipped: 0,
      flaky: 0,
      warnings: this.#warnings.length,
    };
    for (const summary of cases) {
      const { status, reason, flaky, warnings, retries = [] } = summary;
      if (isExcused(summary)) counts.quarantined = (counts.quarantined ?? 0) + 1;
      else counts[reason === "interrupted" ? "interrupted" : status]++;
      if (flaky) counts.flaky++;
      for (const one of [{ warnings }, ...retries]) counts.warnings += one.warnings.length;
    }
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
