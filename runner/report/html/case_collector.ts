import type {
  CaseFinished,
  CaseRetried,
  CaseStarted,
  EventFailure,
  EventPlace,
  Logged,
  Observed,
  RecipeEvent,
  StepEvent,
  StepFinished,
  StepRetried,
  StepStarted,
} from "../../events/event.ts";
import {
  type AttemptRow,
  CASE_STATUSES,
  type CaseAttemptRow,
  type CaseDetails,
  type LogRow,
  STEP_STATUSES,
  type StepMore,
  type StepRow,
  type StepShape,
} from "./report_data.ts";
import type { ReportTables } from "./report_tables.ts";

/** The most log lines of a step or a case, and the most checkpoints of a wait. */
const MAX_LOGS = 1000;
/** The most lines of a failure. */
const MAX_LINES = 500;
/** The longest source line, in characters. */
const MAX_SOURCE = 2000;
/** The longest text of a failure that the search of the list finds, in characters. */
const MAX_SEARCHED = 800;

/** A step that has started. It has a row once it has ended. */
interface StepState {
  shape: number;
  startedAt: number;
  attempts: AttemptRow[];
  logs: LogRow[];
  /** The text of its last progress. */
  seen: string;
  row: StepRow | undefined;
}

/** Collects the events of one case. */
export class CaseCollector {
  #tables: ReportTables;
  #steps: StepState[] = [];
  /** The steps by phase and number; a later step replaces an earlier one with the same number. */
  #latest = new Map<string, StepState>();
  #logs: LogRow[] = [];
  #details: CaseDetails = { steps: [] };
  #attempts: CaseAttemptRow[] = [];
  #failureTexts: string[] = [];

  /** Starts with a case. */
  constructor(started: CaseStarted, tables: ReportTables) {
    this.#tables = tables;
    this.#start(started);
  }

  #start({ vars, matrix, quarantine }: CaseStarted): void {
    const tables = this.#tables;
    const values = (record: Record<string, unknown>): [string, string][] =>
      Object.entries(record).map(([name, value]) => [
        name,
        tables.truncate(JSON.stringify(value, undefined, 2) ?? "null"),
      ]);
    if (Object.keys(vars).length > 0) this.#details.vars = values(vars);
    if (quarantine) {
      const { until, reason } = quarantine;
      this.#details.quarantine = { until, reason: tables.truncate(reason) };
    }
    if (matrix) this.#details.matrix = values(matrix);
  }

  /** Receives an event of this case. */
  report(event: RecipeEvent): void {
    switch (event.type) {
      case "case.started":
        return this.#start(event);
      case "case.retried":
        return this.#onCaseRetried(event);
      case "step.started":
        return this.#onStarted(event);
      case "step.retried":
        return this.#onRetried(event);
      case "step.progress": {
        const step = this.#stepOf(event);
        if (step) step.seen = event.text;
        return;
      }
      case "step.finished":
        return this.#onFinished(event);
      case "log":
        return this.#onLog(event);
      case "warning":
        (this.#details.warnings ??= []).push(this.#tables.truncate(event.text));
        return;
    }
  }

  /** The text of the failures for the search, the failure of the case first. */
  get failureText(): string {
    return [...new Set(this.#failureTexts)].join("\n").slice(0, MAX_SEARCHED);
  }

  /** Returns the details of the case. `event` is `undefined` if the case did not end. */
  finish(endedAt: number, event: CaseFinished | undefined): CaseDetails {
    const details = this.#details;
    if (details.warnings) details.warnings = this.#tables.truncateList(details.warnings, MAX_LOGS);
    if (this.#logs.length > 0) details.logs = truncateLogs(this.#logs);
    details.steps = this.#steps.map((step) => step.row ?? this.#endUnfinished(step, endedAt));
    const failure = event?.failure;
    if (failure) {
      // It is nearly always the failure of a step, which is in the details already.
      const kept = this.#keepFailure(failure, true);
      const json = JSON.stringify(kept);
      const step = details.steps.findLastIndex(([, , , , , more]) =>
        more?.failure !== undefined && JSON.stringify(more.failure) === json
      );
      details.failure = step === -1 ? kept : step;
    }
    if (event?.usual) details.usual = event.usual;
    if (this.#attempts.length > 0) details.attempts = this.#attempts;
    return details;
  }

  /** Ends an attempt; the steps of the next one follow as further steps. */
  #onCaseRetried({ ts, status, duration_ms, failure }: CaseRetried): void {
    const endedAt = this.#tables.time(ts);
    for (const step of this.#steps) {
      if (!step.row) this.#endUnfinished(step, endedAt);
    }
    this.#latest.clear();
    this.#attempts.push({
      end: this.#steps.length,
      status: CASE_STATUSES.indexOf(status),
      duration: Math.round(duration_ms),
      ...(failure ? { failure: this.#keepFailure(failure) } : {}),
    });
  }

  #stepOf({ phase, step }: StepEvent): StepState | undefined {
    return this.#latest.get(`${phase} ${step}`);
  }

  #addStep(event: StepStarted | StepFinished, startedAt: number): StepState {
    const { place } = event;
    const shape: StepShape = [
      event.step,
      event.phase === "always" ? 1 : 0,
      event.kind,
      this.#tables.truncate(event.label, MAX_SOURCE),
      event.id ?? "",
      this.#tables.file(place.file),
      place.line,
      place.column,
      place.length,
      sourceLine(place),
    ];
    const step: StepState = {
      shape: this.#tables.shape(shape),
      startedAt,
      attempts: [],
      logs: [],
      seen: "",
      row: undefined,
    };
    this.#steps.push(step);
    this.#latest.set(`${event.phase} ${event.step}`, step);
    return step;
  }

  #onStarted(event: StepStarted): void {
    const at = this.#tables.time(event.ts);
    const latest = this.#stepOf(event);
    // A retry of an outer step starts its inner steps anew, as further steps.
    const isRetry = latest && !latest.row && event.attempt > 1;
    const step = isRetry ? latest : this.#addStep(event, at);
    step.attempts.push({ startedAt: at, endedAt: at });
  }

  #onRetried(event: StepRetried): void {
    const attempt = this.#stepOf(event)?.attempts.at(-1);
    if (!attempt) return;
    attempt.endedAt = this.#tables.time(event.ts);
    attempt.failure = this.#keepFailure(event.failure);
  }

  #onFinished(event: StepFinished): void {
    const endedAt = this.#tables.time(event.ts);
    const latest = this.#stepOf(event);
    const step = latest && !latest.row ? latest : this.#addStep(event, endedAt - event.duration_ms);
    const last = step.attempts.at(-1);
    if (last && !last.failure) last.endedAt = endedAt;
    const more: StepMore = {};
    if (event.soft) more.soft = true;
    if (event.detail !== undefined) more.detail = this.#tables.truncate(event.detail);
    if (event.failure) more.failure = this.#keepFailure(event.failure);
    if (event.usual) more.usual = event.usual;
    if (event.frames) {
      more.frames = event.frames.map(({ at, socket, direction, text }) => {
        const sent = direction === "sent" ? 1 : 0;
        return [this.#tables.time(at), socket, sent, this.#tables.truncate(text)];
      });
    }
    if (event.observed) this.#addObserved(event.observed, more);
    this.#end(step, STEP_STATUSES.indexOf(event.status), endedAt, event.duration_ms, more);
  }

  #endUnfinished(step: StepState, endedAt: number): StepRow {
    const last = step.attempts.at(-1);
    if (last && !last.failure) last.endedAt = endedAt;
    const more: StepMore = { unfinished: this.#tables.truncate(step.seen) };
    const status = STEP_STATUSES.indexOf("interrupted");
    return this.#end(step, status, endedAt, endedAt - step.startedAt, more);
  }

  #end(
    step: StepState,
    status: number,
    endedAt: number,
    duration: number,
    more: StepMore,
  ): StepRow {
    if (step.attempts.length > 1) more.attempts = step.attempts;
    if (step.logs.length > 0) more.logs = truncateLogs(step.logs);
    step.row = [step.shape, status, step.startedAt, endedAt, Math.round(duration)];
    if (Object.keys(more).length > 0) step.row.push(more);
    return step.row;
  }

  #onLog(event: Logged): void {
    const logs = this.#stepOf(event)?.logs ?? this.#logs;
    // Lines above the limit are only counted.
    const text = logs.length < MAX_LOGS ? this.#tables.truncate(event.text) : "";
    logs.push([this.#tables.time(event.ts), text]);
  }

  #addObserved({ entity, states, timeline }: Observed, more: StepMore): void {
    const time = (ts: string) => this.#tables.time(ts);
    if (entity) more.entity = entity;
    if (states.length > 0) more.states = states.map(({ state, at }) => [state, time(at)]);
    if (timeline.length === 0) return;
    more.checkpoints = timeline.slice(0, MAX_LOGS).map(({ step_name, at, created_at }) => {
      const created = created_at === undefined ? NaN : time(created_at);
      const name = this.#tables.truncate(step_name, MAX_SOURCE);
      return [name, time(at), Number.isFinite(created) ? created : null];
    });
  }

  /** Cuts a failure for the page, and keeps its text for the search. */
  #keepFailure(failure: EventFailure, isOfCase = false): EventFailure {
    const message = this.#tables.truncate(failure.message);
    const lines = this.#tables.truncateList(failure.lines, MAX_LINES);
    const text = [message.slice(0, 400), ...lines].join("\n").slice(0, MAX_SEARCHED);
    if (isOfCase) this.#failureTexts.unshift(text);
    else if (this.#failureTexts.length < MAX_LINES) this.#failureTexts.push(text);
    const { place } = failure;
    return {
      ...failure,
      message,
      lines,
      ...(place ? { place: { ...place, text: sourceLine(place) } } : {}),
    };
  }
}

function sourceLine({ text }: EventPlace): string {
  return text.slice(0, MAX_SOURCE);
}

function truncateLogs(logs: LogRow[]): LogRow[] {
  const dropped = logs.length - MAX_LOGS;
  if (dropped <= 0) return logs;
  const note = `… ${dropped} more lines are not in this report`;
  return [...logs.slice(0, MAX_LOGS), [logs[MAX_LOGS]![0], note]];
}
