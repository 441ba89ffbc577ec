import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { CaseStatus, StepEvent, StepStatus } from "../events/event.ts";
import { openDatabase, type OpenOptions, transaction } from "./database.ts";
import { type HistoryError, historyError } from "./error.ts";
import type { CaseKey } from "./identity.ts";
import { inodeOf, setAside } from "./set_aside.ts";

/** A step of a run that was kept. */
export interface KeptStep {
  /** The part of the recipe. */
  phase: StepEvent["phase"];
  /** The step's number in its recipe. */
  number: string;
  /** Its line in reports. */
  label: string;
  /** How it ended. */
  status: StepStatus;
  /** How often it was tried. */
  attempts: number;
  /** How long it took, in milliseconds. */
  duration_ms: number;
}

/** A run of a case that was kept. */
export interface KeptRun {
  /** When it began, in milliseconds since 1970. */
  at: number;
  /** How it ended. */
  status: CaseStatus;
  /** Whether it passed only on a later attempt. */
  flaky: boolean;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Its steps, in the order in which they ended. */
  steps: KeptStep[];
}

/** How many runs of a case are kept. */
export const KEPT_RUNS = 200;

/** A row for each step of the last runs of a case, and one for a run without steps. */
const RUNS = `
  SELECT run.*, phase, number, label, status, attempts, duration_ms FROM (
    SELECT run.id, at, status AS run_status, flaky, duration_ms AS run_ms
    FROM run JOIN recipe_case ON case_id = recipe_case.id
    WHERE server = ? AND file = ? AND name = ? ORDER BY run.id DESC LIMIT ?
  ) AS run LEFT JOIN step ON run_id = run.id ORDER BY run.id DESC, step.rowid`;

/** Verdicts and times of runs, in a SQLite file. Several processes can use one at the same time. */
export class HistoryStore {
  #database: DatabaseSync;
  #path: string;
  #options: OpenOptions;
  #inode: number | undefined;
  /** Prepared once: a run asks for each of its cases. */
  #runs: StatementSync | undefined;

  private constructor(database: DatabaseSync, path: string, options: OpenOptions) {
    this.#database = database;
    this.#path = path;
    this.#options = options;
    this.#inode = inodeOf(path);
  }

  /**
   * Opens a file.
   * @throws {HistoryError | FileError}
   */
  static async open(path: string, options: OpenOptions): Promise<HistoryStore> {
    return new HistoryStore(await openDatabase(path, options), path, options);
  }

  /** Sets how long another process that is writing is waited for, in milliseconds. */
  set patience(ms: number) {
    this.#database.exec(`PRAGMA busy_timeout = ${ms}`);
  }

  /** All cases, by their files. */
  cases(): CaseKey[] {
    return this.#do("read", () => {
      const rows = this.#database
        .prepare("SELECT server, file, name FROM recipe_case ORDER BY file, name, server").all();
      return rows.map((row) => ({ ...row }) as unknown as CaseKey);
    });
  }

  /** The last runs of a case, the latest one first. */
  runs({ server, file, name }: CaseKey, limit: number): KeptRun[] {
    return this.#do("read", () => {
      this.#runs ??= this.#database.prepare(RUNS);
      const runs: KeptRun[] = [];
      let last: unknown;
      for (const row of this.#runs.all(server, file, name, limit)) {
        const { id, at, run_status, flaky, run_ms, ...step } = row;
        if (id !== last) {
          const outcome = { status: run_status, flaky: flaky === 1, duration_ms: run_ms };
          runs.push({ at, ...outcome, steps: [] } as unknown as KeptRun);
          last = id;
        }
        // A run whose steps were all skipped has none.
        if (step.number !== null) runs.at(-1)!.steps.push(step as unknown as KeptStep);
      }
      return runs;
    });
  }

  /** Keeps runs, all or none of them, and forgets those of their cases that are too old. */
  add(entries: readonly { key: CaseKey; run: KeptRun }[]): void {
    this.#do("write", () => transaction(this.#database, () => this.#insert(entries)));
  }

  /**
   * Sets the file aside that has turned out to be corrupt, and begins a new one.
   * @throws {HistoryError | FileError}
   */
  async beginAnew(error: HistoryError): Promise<void> {
    this.#database.close();
    await setAside(this.#path, this.#inode, error, this.#options);
    this.#runs = undefined;
    this.#database = await openDatabase(this.#path, this.#options);
  }

  /** Lets go of the file. */
  close(): void {
    this.#database.close();
  }

  #insert(entries: readonly { key: CaseKey; run: KeptRun }[]): void {
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
    const forget = prepare(
      `DELETE FROM run WHERE case_id = ?1 AND id NOT IN
       (SELECT id FROM run WHERE case_id = ?1 ORDER BY id DESC LIMIT ${KEPT_RUNS})`,
    );
    const cases = new Set<number>();
    for (const { key: { server, file, name }, run } of entries) {
      addCase.run(server, file, name);
      const caseId = findCase.get(server, file, name)!.id as number;
      cases.add(caseId);
      const { at, status, flaky, duration_ms } = run;
      const { lastInsertRowid } = addRun.run(caseId, at, status, flaky ? 1 : 0, duration_ms);
      for (const { phase, number, label, status, attempts, duration_ms } of run.steps) {
        addStep.run(lastInsertRowid, phase, number, label, status, attempts, duration_ms);
      }
    }
    for (const id of cases) forget.run(id);
  }

  #do<T>(doing: string, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw historyError(doing, this.#path, cause);
    }
  }
}
