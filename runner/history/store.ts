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

/** A run, and the case that it is of. */
export interface RunEntry {
  /** The case. */
  key: CaseKey;
  /** Its run. */
  run: StoredRun;
}

/** How many runs of each case are kept. */
export const RUNS_PER_CASE = 200;

/** How many cases one query looks up. More make it hardly faster, and their runs are all in memory. */
const CASES_PER_QUERY = 32;

/**
 * Selects a row for each case that is known: its last runs as one text, since most of the time would
 * go by with making rows of them. The text has an item for each step of a run, and one for a run
 * without steps. Their order is that of the nested loops, which a LEFT JOIN does not change: the
 * newest run first, and the steps of a run in the order of their index, by rowid.
 *
 * @param count The number of cases. Each has three parameters; the last one is the limit.
 */
function selectRuns(count: number): string {
  const wanted = Array.from({ length: count }, (_, i) => `(${i}, ?, ?, ?)`);
  return `
    WITH wanted (position, server, file, name) AS (VALUES ${wanted.join(", ")})
    SELECT position, (
      SELECT group_concat(json_array(
        run.id, at, run.status, flaky, run.duration_ms,
        phase, number, label, step.status, attempts, step.duration_ms
      )) FROM (
        SELECT * FROM run WHERE case_id = recipe_case.id ORDER BY id DESC LIMIT ?
      ) AS run LEFT JOIN step ON run_id = run.id
    ) AS items FROM wanted CROSS JOIN recipe_case USING (server, file, name)`;
}

/** A step of a run, or nulls, as {@linkcode selectRuns} writes it. */
type RunItem = [
  id: number,
  at: number,
  status: CaseStatus,
  flaky: 0 | 1,
  duration_ms: number,
  phase: StoredStep["phase"],
  number: string | null,
  label: string,
  stepStatus: StepStatus,
  attempts: number,
  stepDuration: number,
];

/**
 * Stores the results and durations of runs in a SQLite file, which several processes can use at the
 * same time.
 */
export class HistoryStore {
  #database: DatabaseSync;
  #path: string;
  #options: HistoryOptions;
  #inode: number | undefined;
  /** The queries for runs, by how many cases each looks up. */
  readonly #selectRuns = new Map<number, StatementSync>();

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
  runs(key: CaseKey, limit: number): StoredRun[] {
    const [runs] = this.runsOf([key], limit);
    return runs!;
  }

  /**
   * Reads the last runs of each of many cases, newest first: some cases at a time, which is much
   * faster than one by one.
   */
  *runsOf(keys: readonly CaseKey[], limit: number): Generator<StoredRun[]> {
    for (let start = 0; start < keys.length; start += CASES_PER_QUERY) {
      const some = keys.slice(start, start + CASES_PER_QUERY);
      yield* this.#wrapErrors("read", () => this.#runsOfSome(some, limit));
    }
  }

  #runsOfSome(keys: readonly CaseKey[], limit: number): StoredRun[][] {
    const runs: StoredRun[][] = keys.map(() => []);
    const values = keys.flatMap(({ server, file, name }) => [server, file, name]);
    for (const row of this.#selectFor(keys.length).all(...values, limit)) {
      runs[row.position as number] = parseRuns(row.items as string | null);
    }
    return runs;
  }

  #selectFor(count: number): StatementSync {
    const known = this.#selectRuns.get(count);
    if (known) return known;
    const statement = this.#database.prepare(selectRuns(count));
    this.#selectRuns.set(count, statement);
    return statement;
  }

  /** Returns how long each case usually takes, in milliseconds, if one of its last runs passed. */
  usualTimes(keys: readonly CaseKey[]): (number | undefined)[] {
    return Array.from(
      this.runsOf(keys, COMPARED_RUNS),
      (runs) => tally(runs.map(outcomeOf)).median_ms,
    );
  }

  /**
   * Records runs in one transaction, and deletes the runs of these cases beyond the newest 200.
   *
   * @param mayBeKnown Whether some may have been recorded before: those are left out.
   * @returns How many have been recorded.
   */
  add(entries: Iterable<RunEntry>, mayBeKnown = false): number {
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
    this.#selectRuns.clear();
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

  #insert(entries: Iterable<RunEntry>, mayBeKnown: boolean): number {
    const prepare = (text: string) => this.#database.prepare(text);
    const addCase = prepare(
      "INSERT INTO recipe_case (server, file, name) VALUES (?, ?, ?)",
    );
    const findCase = prepare(
      "SELECT id FROM recipe_case WHERE server = ? AND file = ? AND name = ?",
    );
    const addRun = prepare(
      "INSERT INTO run (case_id, at, status, flaky, duration_ms) VALUES (?, ?, ?, ?, ?)",
    );
    const addStep = prepare("INSERT INTO step VALUES (?, ?, ?, ?, ?, ?, ?)");
    const prune = prepare(
      `DELETE FROM run WHERE case_id = ?1 AND id <=
       (SELECT id FROM run WHERE case_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ${RUNS_PER_CASE})`,
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
      const known = findCase.get(server, file, name)?.id;
      const caseId = Number(known ?? addCase.run(server, file, name).lastInsertRowid);
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

function parseRuns(items: string | null): StoredRun[] {
  const runs: StoredRun[] = [];
  let last: number | undefined;
  for (const item of JSON.parse(`[${items ?? ""}]`) as RunItem[]) {
    const [id, at, status, flaky, duration_ms] = item;
    if (id !== last) runs.push({ at, status, flaky: flaky === 1, duration_ms, steps: [] });
    last = id;
    const [, , , , , phase, number, label, stepStatus, attempts, stepDuration] = item;
    // A run whose steps were all skipped has no steps, and one item with nulls.
    if (number === null) continue;
    runs.at(-1)!.steps.push({
      ...{ phase, number, label, attempts },
      status: stepStatus,
      duration_ms: stepDuration,
    });
  }
  return runs;
}
