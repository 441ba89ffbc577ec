import type {
  CaseFinished,
  CaseSkipped,
  RunCounts,
  RunEvent,
  RunFinished,
} from "../../events/event.ts";
import { CaseCollector, type Shared } from "./collect_case.ts";
import {
  CASE_MARKS,
  CASE_STATUSES,
  type CaseRow,
  type ReportIndex,
  type StepShape,
  type Verdict,
} from "./data.ts";
import { embedJson } from "./embed.ts";
import { TextBudget } from "./text_budget.ts";

/** A run, as the page has it. */
export interface CollectedRun {
  /** What the page reads when it opens. */
  index: ReportIndex;
  /** The details of the cases in the order of the index, each as JSON for a `<script>`. */
  details: string[];
}

/** A case that has begun. */
interface OpenCase {
  name: string;
  file: string;
  tags: string[];
  began: number;
  events: CaseCollector;
}

/** Gathers the events of a run. What belongs to a case is packed as soon as the case has ended. */
export class RunCollector {
  #server = "";
  #origin: number | undefined;
  #last = 0;
  #planned = 0;
  #warnings: string[] = [];
  #files = new Numbering();
  #tags = new Numbering();
  #shapes = new Numbering();
  #open = new Map<number, OpenCase>();
  #done: { row: CaseRow; details: string }[] = [];
  #finished: RunFinished | undefined;
  #counted = 0;
  #shared: Shared = {
    budget: new TextBudget(),
    shape: (shape: StepShape) => this.#shapes.of(JSON.stringify(shape)),
    file: (name) => this.#files.of(name),
    time: (ts) => Date.parse(ts) - (this.#origin ?? 0),
  };

  /** Takes one event. */
  take(event: RunEvent): void {
    this.#origin ??= Date.parse(event.ts);
    this.#last = Math.max(this.#last, this.#shared.time(event.ts));
    switch (event.type) {
      case "run.started":
        this.#server = event.server;
        this.#planned = event.cases;
        return;
      case "case.started":
        this.#open.set(event.case, {
          name: this.#shared.budget.cut(event.name),
          file: event.file,
          tags: event.tags,
          began: this.#shared.time(event.ts),
          events: new CaseCollector(event, this.#shared),
        });
        return;
      case "case.finished":
        return this.#end(event.case, event);
      case "case.skipped":
        return this.#skip(event);
      case "warning": {
        this.#counted++;
        const about = event.case === undefined ? undefined : this.#open.get(event.case);
        if (about) about.events.take(event);
        else this.#warnings.push(this.#shared.budget.cut(event.text));
        return;
      }
      case "run.finished":
        this.#finished = event;
        return;
      default:
        this.#open.get(event.case)?.events.take(event);
    }
  }

  /** The run; what has not ended by now never will. */
  finish(): CollectedRun {
    for (const number of [...this.#open.keys()]) this.#end(number, undefined);
    this.#done.sort((a, b) => a.row[0] - b.row[0]);
    const cases = this.#done.map(({ row }) => row);
    const finished = this.#finished;
    const interrupted = finished?.interrupted ?? true;
    const counts = finished?.counts ?? this.#count(cases);
    const index: ReportIndex = {
      server: this.#server,
      began: this.#origin ?? 0,
      duration: finished?.duration_ms ?? this.#last,
      verdict: verdictOf(finished, counts),
      interrupted,
      finished: finished !== undefined,
      ...(finished ? { exitCode: finished.exit_code } : {}),
      counts,
      planned: Math.max(this.#planned, cases.length),
      warnings: this.#shared.budget.cutList(this.#warnings, 1000),
      files: this.#files.names,
      tags: this.#tags.names,
      shapes: this.#shapes.names.map((json) => JSON.parse(json) as StepShape),
      cases,
    };
    return { index, details: this.#done.map(({ details }) => details) };
  }

  #skip({ case: number, name, file, reason, ts }: CaseSkipped): void {
    const status = reason === "bail" ? "skipped" : "interrupted";
    const at = this.#shared.time(ts);
    const row: CaseRow = [
      number,
      this.#shared.budget.cut(name),
      this.#files.of(file),
      CASE_STATUSES.indexOf(status),
      at,
      at,
      0,
      CASE_MARKS.unbegun,
      [],
      "",
    ];
    this.#done.push({ row, details: '{"steps":[]}' });
  }

  #end(number: number, event: CaseFinished | undefined): void {
    const open = this.#open.get(number);
    if (!open) return;
    this.#open.delete(number);
    const { name, file, tags, began, events } = open;
    const ended = event ? this.#shared.time(event.ts) : this.#last;
    const details = events.finish(ended, event);
    const marks = (event ? 0 : CASE_MARKS.unfinished) +
      (event?.flaky ? CASE_MARKS.flaky : 0) +
      (event?.usual?.slower ? CASE_MARKS.slow : 0);
    const row: CaseRow = [
      number,
      name,
      this.#files.of(file),
      CASE_STATUSES.indexOf(event?.status ?? "interrupted"),
      began,
      ended,
      Math.round(event?.duration_ms ?? ended - began),
      marks,
      tags.map((tag) => this.#tags.of(tag)),
      events.failures,
    ];
    this.#done.push({ row, details: embedJson(details) });
  }

  #count(cases: readonly CaseRow[]): RunCounts {
    const of = (status: (typeof CASE_STATUSES)[number]) =>
      cases.filter((row) => CASE_STATUSES[row[3]] === status).length;
    return {
      passed: of("passed"),
      failed: of("failed"),
      errored: of("errored"),
      unchecked: of("unchecked"),
      interrupted: of("interrupted") + Math.max(0, this.#planned - cases.length),
      skipped: of("skipped"),
      flaky: cases.filter((row) => row[7] & CASE_MARKS.flaky).length,
      warnings: this.#counted,
    };
  }
}

/** Gives each name the position it has in a list, once. */
class Numbering {
  readonly names: string[] = [];
  #positions = new Map<string, number>();

  of(name: string): number {
    const known = this.#positions.get(name);
    if (known !== undefined) return known;
    this.#positions.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}

function verdictOf(finished: RunFinished | undefined, counts: RunCounts): Verdict {
  if (!finished || finished.interrupted) return "interrupted";
  if (counts.failed > 0) return "failed";
  if (counts.errored > 0) return "errored";
  return finished.exit_code === 0 ? "passed" : "unchecked";
}
