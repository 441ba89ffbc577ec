import type {
  CaseFinished,
  CaseSkipped,
  RecipeEvent,
  RecipeRunFinished,
  RunCounts,
} from "../../events/event.ts";
import { CaseCollector } from "./case_collector.ts";
import {
  CASE_FLAGS,
  CASE_STATUSES,
  type CaseRow,
  type ReportIndex,
  type Verdict,
} from "./report_data.ts";
import { ReportTables } from "./report_tables.ts";
import { TextStore } from "../text_store.ts";

/** The data of a report. */
export interface CollectedRun {
  /** What the page reads when it opens. */
  index: ReportIndex;
  /** Returns the details of a case as JSON, by its position in the index. */
  details(position: number): string;
}

/** A case that has not ended. */
interface OpenCase {
  name: string;
  file: string;
  tags: string[];
  startedAt: number;
  collector: CaseCollector;
}

/**
 * Collects the events of a run into the data of the page.
 *
 * Unlike the summary of other reports it serialises each case when it ends: the objects of ten
 * thousand cases would take much more memory.
 */
export class RunCollector {
  #tables = new ReportTables();
  #server = "";
  #isVirtual = false;
  #lastTime = 0;
  #plannedCases = 0;
  #warnings: string[] = [];
  #warningCount = 0;
  #open = new Map<number, OpenCase>();
  #ended: { row: CaseRow; details: number }[] = [];
  /** The details of those that have ended. */
  #details = new TextStore();
  #finished: RecipeRunFinished | undefined;

  /** Receives one event. */
  report(event: RecipeEvent): void {
    this.#lastTime = Math.max(this.#lastTime, this.#tables.time(event.ts));
    switch (event.type) {
      case "run.started":
        this.#server = event.server;
        this.#isVirtual = event.clock === "virtual";
        this.#plannedCases = event.cases;
        return;
      case "case.started":
        if (event.attempt !== undefined && this.#open.has(event.case)) {
          return this.#open.get(event.case)!.collector.report(event);
        }
        this.#open.set(event.case, {
          name: this.#tables.truncate(event.name),
          file: event.file,
          tags: event.tags,
          startedAt: this.#tables.time(event.ts),
          collector: new CaseCollector(event, this.#tables),
        });
        return;
      case "case.finished":
        return this.#endCase(event.case, event);
      case "case.skipped":
        return this.#addSkippedCase(event);
      case "warning": {
        this.#warningCount++;
        const owner = event.case === undefined ? undefined : this.#open.get(event.case);
        if (owner) owner.collector.report(event);
        else this.#warnings.push(this.#tables.truncate(event.text));
        return;
      }
      case "run.finished":
        this.#finished = event;
        return;
      default:
        this.#open.get(event.case)?.collector.report(event);
    }
  }

  /** Returns the data of the run. Cases that have not ended count as interrupted. */
  finish(): CollectedRun {
    for (const number of [...this.#open.keys()]) this.#endCase(number, undefined);
    this.#ended.sort((a, b) => a.row[0] - b.row[0]);
    const cases = this.#ended.map(({ row }) => row);
    const finished = this.#finished;
    const counts = finished?.counts ?? this.#count(cases);
    const index: ReportIndex = {
      server: this.#server,
      startedAt: this.#tables.origin,
      duration: finished?.duration_ms ?? this.#lastTime,
      ...(this.#isVirtual ? { virtual: true } : {}),
      ...(finished?.real_ms === undefined ? {} : { realDuration: finished.real_ms }),
      verdict: verdictOf(finished, counts),
      interrupted: finished?.interrupted ?? true,
      finished: finished !== undefined,
      ...(finished ? { exitCode: finished.exit_code } : {}),
      counts,
      ...(finished?.failed_by === undefined ? {} : { failedBy: finished.failed_by }),
      plannedCases: Math.max(this.#plannedCases, cases.length),
      warnings: this.#tables.truncateList(this.#warnings, 1000),
      files: this.#tables.files,
      tags: this.#tables.tags,
      shapes: this.#tables.shapes,
      cases,
    };
    return { index, details: (position) => this.#details.get(this.#ended[position]!.details) };
  }

  #addSkippedCase({ case: number, name, file, reason, ts }: CaseSkipped): void {
    const status = reason === "bail" ? "skipped" : "interrupted";
    const at = this.#tables.time(ts);
    const row: CaseRow = [
      number,
      this.#tables.truncate(name),
      this.#tables.file(file),
      CASE_STATUSES.indexOf(status),
      at,
      at,
      0,
      CASE_FLAGS.notStarted,
      [],
      "",
    ];
    this.#ended.push({ row, details: this.#details.add('{"steps":[]}') });
  }

  #endCase(number: number, event: CaseFinished | undefined): void {
    const open = this.#open.get(number);
    if (!open) return;
    this.#open.delete(number);
    const { name, file, tags, startedAt, collector } = open;
    const endedAt = event ? this.#tables.time(event.ts) : this.#lastTime;
    const details = collector.finish(endedAt, event);
    const flags = (event ? 0 : CASE_FLAGS.unfinished) +
      (event?.flaky ? CASE_FLAGS.flaky : 0) +
      (event?.quarantine ? CASE_FLAGS.quarantined : 0) +
      (event?.usual?.slower ? CASE_FLAGS.slow : 0);
    const row: CaseRow = [
      number,
      name,
      this.#tables.file(file),
      CASE_STATUSES.indexOf(event?.status ?? "interrupted"),
      startedAt,
      endedAt,
      Math.round(event?.duration_ms ?? endedAt - startedAt),
      flags,
      tags.map((tag) => this.#tables.tag(tag)),
      collector.failureText,
    ];
    this.#ended.push({ row, details: this.#details.add(JSON.stringify(details)) });
  }

  #count(cases: readonly CaseRow[]): RunCounts {
    const isExcused = (row: CaseRow) =>
      (row[7] & CASE_FLAGS.quarantined) !== 0 &&
      ["failed", "errored"].includes(CASE_STATUSES[row[3]]!);
    const count = (status: (typeof CASE_STATUSES)[number]) =>
      cases.filter((row) => CASE_STATUSES[row[3]] === status && !isExcused(row)).length;
    const quarantined = cases.filter(isExcused).length;
    return {
      ...(quarantined > 0 ? { quarantined } : {}),
      passed: count("passed"),
      failed: count("failed"),
      errored: count("errored"),
      unchecked: count("unchecked"),
      interrupted: count("interrupted") + Math.max(0, this.#plannedCases - cases.length),
      skipped: count("skipped"),
      flaky: cases.filter((row) => row[7] & CASE_FLAGS.flaky).length,
      warnings: this.#warningCount,
    };
  }
}

function verdictOf(finished: RecipeRunFinished | undefined, counts: RunCounts): Verdict {
  if (!finished || finished.interrupted) return "interrupted";
  if (counts.failed > 0 || finished.failed_by !== undefined) return "failed";
  if (counts.errored > 0) return "errored";
  return finished.exit_code === 0 ? "passed" : "unchecked";
}
