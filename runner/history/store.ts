import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CaseStatus, StepEvent, StepStatus } from "../events/event.ts";
import type { CaseKey } from "./case_key.ts";
import { COMPARED_RUNS, outcomeOf, tally } from "./compare.ts";
import { type HistoryOptions, openDatabase, transaction } from "./database.ts";
import { type HistoryError, historyError } from "./error.ts";
import { inodeOf, quarantine } from "./quarantine.ts";

/** A recorded step. */
export interface StoredStep {
  /** The part of the recipe that it belongs to. */
  phase: StepEvent["phase"];
  /** Its number in the recipe. */
  number: string;
  /** Its label in reports. */
  label: string;
  /** Its result. */
  status: StepStatus;
  /** The number of attempts. */
  attempts: number;
  /** How long it took, in milliseconds. */
  duration_ms: number;
}

/** A recorded run of a case. */
export interface StoredRun {
  /** When it started, in milliseconds since 1970. */
  at: number;
  /** Its result. */
  status: CaseStatus;
  /** Whether it passed only on a later attempt. */
  flaky: boolean;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Its steps, in the order in which they finished. */
  steps: StoredStep[];
}

/** How many runs of each case are kept. */
export const RUNS_PER_CASE = 200;

/** Selects a row for each step of the last runs of a case, and one for a run without steps. */
const RUNS = `
  SELECT run.*, phase, number, label, status, attempts, duration_ms FROM (
    SELECT run.id, at, status AS run_status, flaky, duration_ms AS run_ms
    FROM run JOIN recipe_case ON case_id = recipe_case.id
    WHERE server = ? AND file = ? AND name = ? ORDER BY run.id DESC LIMIT ?
  ) AS run LEFT JOIN step ON run_id = run.id ORDER BY run.id DESC, step.rowid`;

/**
 * Stores the results and durations of runs in a SQLite file, which several processes can use at the
 * same time.
 */
export class HistoryStore {
  #database: DatabaseSync;
  #path: string;
  #options: HistoryOptions;
  #inode: number | undefined;
  /** Prepared once, because it is used for every case of a run. */
  #selectRuns: StatementSync | undefined;

  private constructor(database: DatabaseSync, path: string, options: HistoryOptions) {
    this.#database = database;
    this.#path = path;
    this.#options = options;
    this.#inode = inodeOf(path);
  }

  /**
   * Opens a history.
   * @throws {HistoryError | FileError}
   */
  static async open(path: string, options: HistoryOptions): Promise<HistoryStore> {
    return new HistoryStore(await openDatabase(path, options), path, options);
  }

  /** Sets how long to wait for another process that is writing, in milliseconds. */
  set busyTimeout(ms: number) {
    this.#database.exec(`PRAGMA busy_timeout = ${ms}`);
  }

  /** Lists all cases, ordered by file. */
  cases(): CaseKey[] {
    return this.#wrapErrors("read", () => {
      const rows = this.#database
        .prepare("SELECT server, file, name FROM recipe_case ORDER BY file, name, server").all();
      return rows.map((row) => ({ ...row }) as unknown as CaseKey);
    });
  }

  /** Reads the last runs of a case, newest first. */
  runs({ server, file, name }: CaseKey, limit: number): StoredRun[] {
    return this.#wrapErrors("read", () => {
      this.#selectRuns ??= this.#database.prepare(RUNS);
      const runs: StoredRun[] = [];
      let last: unknown;
      for (const row of this.#selectRuns.all(server, file, name, limit)) {
        const { id, at, run_status, flaky, run_ms, ...step } = row;
        if (id !== last) {
          const outcome = { status: run_status, flaky: flaky === 1, duration_ms: run_ms };
          runs.push({ at, ...outcome, steps: [] } as unknown as StoredRun);
          last = id;
        }
        // A run whose steps were all skipped has no steps, and one row of nulls.
        if (step.number !== null) runs.at(-1)!.steps.push(step as unknown as StoredStep);
      }
      return runs;
    });
  }

  /** Returns how long a case usually takes, in milliseconds, if one of its last runs passed. */
  usualTime(key: CaseKey): number | undefined {
    return tally(this.runs(key, COMPARED_RUNS).map(outcomeOf)).median_ms;
  }

  /**
   * Records runs in one transaction, and deletes the runs of these cases beyond the newest 200.
   *
   * @param mayBeKnown Whether some may have been recorded before: those are left out.
   * @returns How many have been recorded.
   */
  add(entries: readonly { key: CaseKey; run: StoredRun }[], mayBeKnown = false): number {
    let added = 0;
    this.#wrapErrors("write", () =>
      transaction(this.#database, () => {
        added = this.#insert(entries, mayBeKnown);
      }));
    return added;
  }

  /**
   * Replaces the file with a new one after it was found to be corrupt.
   * @throws {HistoryError | FileError}
   */
  async replaceCorrupt(error: HistoryError): Promise<void> {
    this.#database.close();
    await quarantine(this.#path, this.#inode, error, this.#options);
    this.#selectRuns = undefined;
    this.#database = await openDatabase(this.#path, this.#options);
  }

  /** Throws if the file cannot be written. Changes nothing in it. */
  checkWritable(): void {
    this.#wrapErrors("write", () =>
      transaction(this.#database, () => {
        const { user_version } = this.#database.prepare("PRAGMA user_version").get()!;
        // Starting a transaction needs no permission to write yet.
        this.#database.exec(`PRAGMA user_version = ${user_version}`);
      }));
  }

  /** Closes the file. */
  close(): void {
    this.#database.close();
  }

  #insert(entries: readonly { key: CaseKey; run: StoredRun }[], mayBeKnown: boolean): number {
    const prepare = (text: string) => this.#database.prepare(text);
    const addCase = prepare(
      "INSERT OR IGNORE INTO recipe_case (server, file, name) VALUES (?, ?, ?)",
    );
    const findCase = prepare(
      "SELECT id FROM recipe_case WHERE server = ? AND file = ? AND name = ?",
    );
    const addRun = prepare(
      "INSERT INTO run (case_id, at, status, flaky, duration_ms) VALUES (?, ?, ?, ?, ?)",
    );
    const addStep = prepare("INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?)");
    const prune = prepare(
      `DELETE FROM run WHERE case_id = ?1 AND id NOT IN
       (SELECT id FROM run WHERE case_id = ?1 ORDER BY id DESC LIMIT ${RUNS_PER_CASE})`,
    );
    // Repetitions of a case can have begun at the same time, so only earlier records count.
    const newest = mayBeKnown
      ? prepare("SELECT coalesce(max(id), 0) AS id FROM run").get()!.id as number
      : 0;
    const findRun = prepare(
      `SELECT 1 FROM run
       WHERE case_id = ? AND id <= ? AND at = ? AND duration_ms = ? AND status = ? LIMIT 1`,
    );
    const cases = new Set<number>();
    let added = 0;
    for (const { key: { server, file, name }, run } of entries) {
      addCase.run(server, file, name);
      const caseId = findCase.get(server, file, name)!.id as number;
      const { at, status, flaky, duration_ms } = run;
      if (newest > 0 && findRun.get(caseId, newest, at, duration_ms, status)) continue;
      added++;
      cases.add(caseId);
      const { lastInsertRowid } = addRun.run(caseId, at, status, flaky ? 1 : 0, duration_ms);
      for (const { phase, number, label, status, attempts, duration_ms } of run.steps) {
        addStep.run(lastInsertRowid, phase, number, label, status, attempts, duration_ms);
      }
    }
    for (const id of cases) prune.run(id);
    return added;
  }

  #wrapErrors<T>(action: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw historyError(action, this.#path, cause);
    }
  }
}
