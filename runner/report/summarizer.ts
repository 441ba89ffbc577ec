import type {
  CaseFinished,
  CaseSkipped,
  CaseStarted,
  EventFailure,
  RunCounts,
  RunEvent,
  StepEvent,
  StepFinished,
  StepStarted,
} from "../events/event.ts";
import {
  type CaseSummary,
  RUN_SUMMARY_VERSION,
  type RunSummary,
  type StepSummary,
} from "./run_summary.ts";

/** A case with what is known of it so far. */
interface KnownCase {
  summary: CaseSummary;
  /** Whether its end was told. */
  ended: boolean;
  /** The steps that have begun and not ended, by phase and number. */
  steps: Map<string, StepSummary>;
}

/** Puts the events of a run together, for reports that are written when it has ended. */
export class Summarizer {
  #cases = new Map<number, KnownCase>();
  #warnings: string[] = [];
  #server = "";
  #expected = 0;
  #began: string | undefined;
  #last: string | undefined;
  #finished: (RunEvent & { type: "run.finished" }) | undefined;

  /**
   * Takes one event.
   * @returns The case that has ended with it.
   */
  report(event: RunEvent): CaseSummary | undefined {
    this.#began ??= event.ts;
    this.#last = event.ts;
    switch (event.type) {
      case "run.started":
        this.#server = event.server;
        this.#expected = event.cases;
        return;
      case "case.started":
        this.#cases.set(event.case, {
          summary: emptyCase(event),
          ended: false,
          steps: new Map(),
        });
        return;
      case "step.started":
        return this.#start(event);
      case "step.retried": {
        const { attempt, ts, failure } = event;
        const step = this.#cases.get(event.case)?.steps.get(keyOf(event));
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
        const of = event.case === undefined ? undefined : this.#cases.get(event.case)?.summary;
        (of?.warnings ?? this.#warnings).push(event.text);
        return;
      }
      case "case.finished":
        return this.#finishCase(event);
      case "case.skipped": {
        const summary = emptyCase(event);
        this.#cases.set(event.case, { summary, ended: true, steps: new Map() });
        return summary;
      }
      case "run.finished":
        this.#finished = event;
        return;
    }
  }

  /** Ends the cases whose end was not told, as interrupted; gives them. */
  close(): CaseSummary[] {
    const open = [...this.#cases.values()].filter(({ ended }) => !ended);
    for (const one of open) {
      const { summary, steps } = one;
      one.ended = true;
      const failure: EventFailure = { kind: "interrupted", message: CUT_SHORT, lines: [] };
      for (const step of steps.values()) {
        step.duration_ms = between(step.started_at, this.#last);
        step.failure = { ...failure, place: step.place, step: step.step };
        summary.failure ??= step.failure;
      }
      steps.clear();
      summary.duration_ms = between(summary.started_at, this.#last);
      summary.failure ??= failure;
    }
    return open.map(({ summary }) => summary);
  }

  /** The run so far; what has not ended is interrupted. */
  summary(): RunSummary {
    this.close();
    const cases = [...this.#cases.values()].map(({ summary }) => summary)
      .toSorted((a, b) => a.case - b.case);
    const finished = this.#finished;
    const started_at = this.#began ?? NEVER;
    const finished_at = this.#last ?? NEVER;
    return {
      version: RUN_SUMMARY_VERSION,
      server: this.#server,
      started_at,
      finished_at,
      duration_ms: finished?.duration_ms ?? between(started_at, finished_at),
      interrupted: finished?.interrupted ?? true,
      ...(finished === undefined ? {} : { exit_code: finished.exit_code }),
      counts: finished?.counts ?? this.#count(cases),
      cases,
      warnings: this.#warnings,
    };
  }

  #start(event: StepStarted): undefined {
    const of = this.#cases.get(event.case);
    // A step that is tried again has begun already.
    if (!of || of.steps.has(keyOf(event))) return;
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
    of.steps.set(keyOf(event), summary);
    of.summary.steps.push(summary);
  }

  #finishStep(event: StepFinished): undefined {
    const of = this.#cases.get(event.case);
    if (!of) return;
    const { type: _, ts: __, case: ___, ...told } = event;
    const step = of.steps.get(keyOf(event));
    of.steps.delete(keyOf(event));
    if (step) Object.assign(step, told);
    else of.summary.steps.push({ ...told, retries: [] });
  }

  #finishCase(event: CaseFinished): CaseSummary | undefined {
    const of = this.#cases.get(event.case);
    if (!of) return;
    const { type: _, ts: __, ...told } = event;
    of.ended = true;
    of.steps.clear();
    return Object.assign(of.summary, told);
  }

  #count(cases: readonly CaseSummary[]): RunCounts {
    const counts: RunCounts = {
      passed: 0,
      failed: 0,
      errored: 0,
      unchecked: 0,
      interrupted: Math.max(0, this.#expected - cases.length),
      skipped: 0,
      flaky: 0,
      warnings: this.#warnings.length,
    };
    for (const { status, reason, flaky, warnings } of cases) {
      counts[reason === "interrupted" ? "interrupted" : status]++;
      if (flaky) counts.flaky++;
      counts.warnings += warnings.length;
    }
    return counts;
  }
}

/** What the last step of a case failed with when its end was not told. */
const CUT_SHORT = "the run ended before this did";

/** A run of which no event came has no time. */
const NEVER = "1970-01-01T00:00:00.000Z";

function emptyCase(event: CaseStarted | CaseSkipped): CaseSummary {
  const begun = event.type === "case.started";
  return {
    case: event.case,
    name: event.name,
    file: event.file,
    tags: begun ? event.tags : [],
    vars: begun ? event.vars : {},
    ...(begun && event.matrix !== undefined ? { matrix: event.matrix } : {}),
    // Until its end is told.
    status: begun ? "interrupted" : "skipped",
    ...(begun ? { started_at: event.ts } : { reason: event.reason }),
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
