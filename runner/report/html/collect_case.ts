import type {
  CaseFinished,
  CaseStarted,
  EventFailure,
  EventPlace,
  Logged,
  Observed,
  RunEvent,
  StepEvent,
  StepFinished,
  StepRetried,
  StepStarted,
} from "../../events/event.ts";
import {
  type AttemptRow,
  type CaseDetails,
  type LogRow,
  STEP_STATUSES,
  type StepMore,
  type StepRow,
  type StepShape,
} from "./data.ts";
import type { TextBudget } from "./text_budget.ts";

/** Lines of one step or case, of one failure, and what a source line may be long. */
const LOGS = 1000;
const LINES = 500;
const SOURCE = 2000;
/** So much of a failure can be searched for from the list. */
const SEARCHED = 800;

/** What the cases of a run share. */
export interface Shared {
  /** Cuts texts. */
  budget: TextBudget;
  /** The position of what is the same in each run of a step. */
  shape(shape: StepShape): number;
  /** The position of a file. */
  file(name: string): number;
  /** A time of an event in milliseconds after the run's begin. */
  time(ts: string): number;
}

/** A step that is told about. */
interface OpenStep {
  shape: number;
  began: number;
  attempts: AttemptRow[];
  logs: LogRow[];
  seen: string;
  row: StepRow | undefined;
}

/** Gathers the events of one case. */
export class CaseCollector {
  #shared: Shared;
  #steps: OpenStep[] = [];
  #open = new Map<string, OpenStep>();
  #logs: LogRow[] = [];
  #details: CaseDetails = { steps: [] };
  #said: string[] = [];

  /** Begins with a case. */
  constructor({ vars, matrix }: CaseStarted, shared: Shared) {
    this.#shared = shared;
    const values = (of: Record<string, unknown>): [string, string][] =>
      Object.entries(of).map(([name, value]) => [
        name,
        shared.budget.cut(JSON.stringify(value, undefined, 2) ?? "null"),
      ]);
    if (Object.keys(vars).length > 0) this.#details.vars = values(vars);
    if (matrix) this.#details.matrix = values(matrix);
  }

  /** Takes an event of this case. */
  take(event: RunEvent): void {
    switch (event.type) {
      case "step.started":
        return this.#started(event);
      case "step.retried":
        return this.#retried(event);
      case "step.progress": {
        const step = this.#stepOf(event);
        if (step) step.seen = event.text;
        return;
      }
      case "step.finished":
        return this.#finished(event);
      case "log":
        return this.#logged(event);
      case "warning":
        return void (this.#details.warnings ??= []).push(this.#shared.budget.cut(event.text));
    }
  }

  /** What its failures say, as far as a search needs it; the case's own is the first. */
  get failures(): string {
    return [...new Set(this.#said)].join("\n").slice(0, SEARCHED);
  }

  /** Everything, when the case has ended or is heard of no more. */
  finish(ended: number, event: CaseFinished | undefined): CaseDetails {
    const { budget } = this.#shared;
    const details = this.#details;
    if (details.warnings) details.warnings = budget.cutList(details.warnings, LOGS);
    if (this.#logs.length > 0) details.logs = cutLogs(this.#logs);
    details.steps = this.#steps.map((step) => step.row ?? this.#unfinished(step, ended));
    const failure = event?.failure;
    if (failure) {
      // Nearly always it is the failure of a step, which need not be told twice.
      const kept = this.#failure(failure, true);
      const same = JSON.stringify(kept);
      const step = details.steps.findIndex(([, , , , , more]) =>
        more?.failure !== undefined && JSON.stringify(more.failure) === same
      );
      details.failure = step === -1 ? kept : step;
    }
    if (event?.usual) details.usual = event.usual;
    return details;
  }

  #stepOf({ phase, step }: StepEvent): OpenStep | undefined {
    return this.#open.get(`${phase} ${step}`);
  }

  #begin(event: StepStarted | StepFinished, began: number): OpenStep {
    const shared = this.#shared;
    const { place } = event;
    const shape: StepShape = [
      event.step,
      event.phase === "always" ? 1 : 0,
      event.kind,
      shared.budget.cut(event.label, SOURCE),
      event.id ?? "",
      shared.file(place.file),
      place.line,
      place.column,
      place.length,
      sourceLine(place),
    ];
    const step: OpenStep = {
      shape: shared.shape(shape),
      began,
      attempts: [],
      logs: [],
      seen: "",
      row: undefined,
    };
    this.#steps.push(step);
    this.#open.set(`${event.phase} ${event.step}`, step);
    return step;
  }

  #started(event: StepStarted): void {
    const at = this.#shared.time(event.ts);
    const known = this.#stepOf(event);
    // What stands inside a step that is tried again begins once more, as a step of its own.
    const step = known && !known.row && event.attempt > 1 ? known : this.#begin(event, at);
    step.attempts.push({ began: at, ended: at });
  }

  #retried(event: StepRetried): void {
    const attempt = this.#stepOf(event)?.attempts.at(-1);
    if (!attempt) return;
    attempt.ended = this.#shared.time(event.ts);
    attempt.failure = this.#failure(event.failure);
  }

  #finished(event: StepFinished): void {
    const ended = this.#shared.time(event.ts);
    const known = this.#stepOf(event);
    const step = known && !known.row ? known : this.#begin(event, ended - event.duration_ms);
    const last = step.attempts.at(-1);
    if (last && !last.failure) last.ended = ended;
    const { budget } = this.#shared;
    const more: StepMore = {};
    if (event.soft) more.soft = true;
    if (event.detail !== undefined) more.detail = budget.cut(event.detail);
    if (event.failure) more.failure = this.#failure(event.failure);
    if (event.usual) more.usual = event.usual;
    if (event.observed) this.#observed(event.observed, more);
    this.#close(step, STEP_STATUSES.indexOf(event.status), ended, event.duration_ms, more);
  }

  #unfinished(step: OpenStep, ended: number): StepRow {
    const last = step.attempts.at(-1);
    if (last && !last.failure) last.ended = ended;
    const more: StepMore = { unfinished: this.#shared.budget.cut(step.seen) };
    const status = STEP_STATUSES.indexOf("interrupted");
    return this.#close(step, status, ended, ended - step.began, more);
  }

  #close(
    step: OpenStep,
    status: number,
    ended: number,
    duration: number,
    more: StepMore,
  ): StepRow {
    if (step.attempts.length > 1) more.attempts = step.attempts;
    if (step.logs.length > 0) more.logs = cutLogs(step.logs);
    step.row = [step.shape, status, step.began, ended, Math.round(duration)];
    if (Object.keys(more).length > 0) step.row.push(more);
    return step.row;
  }

  #logged(event: Logged): void {
    const logs = this.#stepOf(event)?.logs ?? this.#logs;
    // One more than is shown, and the rest is but counted.
    const text = logs.length < LOGS ? this.#shared.budget.cut(event.text) : "";
    logs.push([this.#shared.time(event.ts), text]);
  }

  #observed({ entity, states, timeline }: Observed, more: StepMore): void {
    const { time, budget } = this.#shared;
    if (entity) more.entity = entity;
    if (states.length > 0) more.states = states.map(({ state, at }) => [state, time(at)]);
    if (timeline.length === 0) return;
    more.checkpoints = timeline.slice(0, LOGS).map(({ step_name, at, created_at }) => {
      const created = created_at === undefined ? NaN : time(created_at);
      return [budget.cut(step_name, SOURCE), time(at), Number.isFinite(created) ? created : null];
    });
  }

  #failure(failure: EventFailure, own = false): EventFailure {
    const { budget } = this.#shared;
    const message = budget.cut(failure.message);
    const lines = budget.cutList(failure.lines, LINES);
    const said = [message.slice(0, 400), ...lines].join("\n").slice(0, SEARCHED);
    if (own) this.#said.unshift(said);
    else if (this.#said.length < LINES) this.#said.push(said);
    return {
      ...failure,
      message,
      lines,
      ...(failure.place ? { place: { ...failure.place, text: sourceLine(failure.place) } } : {}),
    };
  }
}

function sourceLine({ text }: EventPlace): string {
  return text.length > SOURCE ? text.slice(0, SOURCE) : text;
}

function cutLogs(logs: LogRow[]): LogRow[] {
  if (logs.length <= LOGS) return logs;
  const left = logs.length - LOGS;
  return [...logs.slice(0, LOGS), [logs[LOGS]![0], `… ${left} more lines are not in this report`]];
}
