import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { AlertState } from "./alert_rules.ts";
import {
  type Check,
  type CheckKey,
  type CheckRun,
  type CheckVerdict,
  freeId,
  type Incident,
  type Notice,
  type RunBar,
  type Waiting,
} from "./model.ts";

/** A row of a query, by its columns. */
// deno-lint-ignore no-explicit-any
type Row = Record<string, any>;

/** What a run or a reminder changes, written in one transaction. */
export interface HealthChange {
  /** The check. */
  check: Check;
  /** The state of its alert afterwards. */
  alert: AlertState;
  /** The run; absent for a reminder. */
  run?: CheckRun;
  /** The incident as it is afterwards, if the check is or was in one. */
  incident?: Incident;
  /** The notice that was made, if any. */
  notice?: Notice;
  /** The names of the targets that get it. */
  targets: readonly string[];
  /** More notices, each with the names of its targets. */
  also?: readonly { notice: Notice; targets: readonly string[] }[];
}

/** Reads and writes the tables of checks in a history. Errors are those of SQLite. */
export class HealthDatabase {
  /** The database. */
  readonly sql: DatabaseSync;
  #statements = new Map<string, StatementSync>();
  #rows = new Map<string, number>();

  /** Uses an open history. */
  constructor(sql: DatabaseSync) {
    this.sql = sql;
  }

  /** Runs a statement that returns no rows. */
  run(text: string, ...values: SQLInputValue[]): void {
    this.#prepare(text).run(...values);
  }

  /** Returns the first row of a query. */
  get(text: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#prepare(text).get(...values);
  }

  /** Returns all rows of a query. */
  all(text: string, ...values: SQLInputValue[]): Row[] {
    return this.#prepare(text).all(...values);
  }

  /** Forgets what a transaction has added that was rolled back. */
  forget(): void {
    this.#rows.clear();
  }

  /** Returns the row number of a check, and adds it if it is new. */
  rowOf(check: Check): number {
    const { id, server, file, name } = check;
    const key = JSON.stringify([server, file, name]);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const find = () =>
      this.get(
        "SELECT id FROM health_check WHERE server = ? AND file = ? AND name = ?",
        ...[server, file, name],
      )?.id;
    // One that is there can be read while another process writes.
    if (find() === undefined) {
      // While the file could not be read, another check may have got the same `id`.
      const slug = freeId(id, (slug) => this.hasSlug(slug));
      this.run(
        "INSERT OR IGNORE INTO health_check (slug, server, file, name) VALUES (?, ?, ?, ?)",
        ...[slug, server, file, name],
      );
    }
    const row = find() as number;
    this.#rows.set(key, row);
    return row;
  }

  /** Returns the `id` that a check had before. */
  slugOf({ server, file, name }: CheckKey): string | undefined {
    const text = "SELECT slug FROM health_check WHERE server = ? AND file = ? AND name = ?";
    return this.get(text, server, file, name)?.slug;
  }

  /** Whether an `id` belongs to a check. */
  hasSlug(slug: string): boolean {
    return this.get("SELECT 1 FROM health_check WHERE slug = ?", slug) !== undefined;
  }

  /** Returns the state of a check's alert, if it has run. */
  alert(check: Check): AlertState | undefined {
    const text = this.get("SELECT alert FROM health_check WHERE id = ?", this.rowOf(check))?.alert;
    return text ? JSON.parse(text) : undefined;
  }

  /**
   * Returns the incident that a check is in, or else its newest one. That may have been raised while the
   * clock was ahead, so that it seems to be newer than one that is open.
   */
  incident(check: Check): Incident | undefined {
    const row = this.rowOf(check);
    const newest = (condition: string) =>
      this.#incidents(`WHERE check_id = ? ${condition}`, [row], 1)[0];
    return newest("AND resolved_at IS NULL") ?? newest("");
  }

  /** Writes a change. */
  write(change: HealthChange): void {
    const { check, alert, run, incident } = change;
    const row = this.rowOf(check);
    this.run("UPDATE health_check SET alert = ? WHERE id = ?", JSON.stringify(alert), row);
    if (run) this.#addRun(row, run);
    if (incident) this.#putIncident(row, incident);
    for (const waiting of noticesOf(change)) this.addNotice(waiting);
  }

  /** Adds a notice for a target, unless it is there already. */
  addNotice({ target, notice, attempts }: Waiting): void {
    this.run(
      "INSERT OR IGNORE INTO health_notice (target, key, notice, attempts) VALUES (?, ?, ?, ?)",
      ...[target, notice.id, JSON.stringify(notice), attempts],
    );
  }

  /** Returns the newest runs of a check, newest first. */
  runs(
    check: Check,
    limit: number,
    before = Number.MAX_SAFE_INTEGER,
  ): (CheckRun & { id: number })[] {
    return this.all(
      `SELECT id, slot, at, lateness_ms, duration_ms, verdict, exit_code, flaky, failure,
         diagnostics, steps
       FROM health_run WHERE check_id = ? AND id < ? ORDER BY id DESC LIMIT ?`,
      ...[this.rowOf(check), before, limit],
    ).map(({ exit_code: exitCode, flaky, failure, diagnostics, steps, ...row }) => ({
      ...row as Row & { id: number; slot: number; at: number; lateness_ms: number },
      duration_ms: row.duration_ms as number,
      verdict: row.verdict as CheckVerdict,
      exitCode,
      flaky: flaky === 1,
      steps: JSON.parse(steps),
      ...(failure === null ? {} : { failure }),
      ...(diagnostics === null ? {} : { diagnostics }),
    }));
  }

  /** Returns the newest runs of a check as bars, oldest first. */
  bars(check: Check, limit: number): RunBar[] {
    const rows = this.all(
      `SELECT at, verdict, duration_ms FROM health_run
       WHERE check_id = ? ORDER BY id DESC LIMIT ?`,
      ...[this.rowOf(check), limit],
    );
    return rows.map((row) => ({ ...row }) as RunBar).reverse();
  }

  /** Returns incidents, newest first: of a check, or of all. */
  incidents({ check, limit }: { check?: Check; limit: number }): Incident[] {
    return check
      ? this.#incidents("WHERE check_id = ?", [this.rowOf(check)], limit)
      : this.#incidents("", [], limit);
  }

  /** Returns the checks that are in an incident, with the targets that know of it. */
  inIncident(): { check: Check; targets: string[] }[] {
    return this.all(
      `SELECT slug, server, file, name, tags, targets
       FROM health_check AS c JOIN health_incident AS i ON check_id = c.id
       WHERE resolved_at IS NULL ORDER BY c.id`,
    ).map(({ slug, server, file, name, tags, targets }) => ({
      // When it runs is not recorded.
      check: { ...{ id: slug, server, file, name }, tags: JSON.parse(tags), when: "" },
      targets: JSON.parse(targets),
    }));
  }

  #addRun(row: number, run: CheckRun): void {
    const { slot, at, lateness_ms, duration_ms, verdict, exitCode, flaky } = run;
    this.run(
      `INSERT INTO health_run (check_id, slot, at, lateness_ms, duration_ms, verdict, exit_code,
         flaky, failure, diagnostics, steps) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[row, slot, at, lateness_ms, duration_ms, verdict, exitCode, flaky ? 1 : 0],
      ...[run.failure ?? null, run.diagnostics ?? null, JSON.stringify(run.steps)],
    );
  }

  /** Reads incidents in the order of an index: there can be hundreds of thousands. */
  #incidents(condition: string, values: SQLInputValue[], limit: number): Incident[] {
    const rows = this.all(
      `SELECT i.id, slug, since, raised_at, resolved_at, failures, failure, flapping, tags, targets
       FROM health_incident AS i CROSS JOIN health_check AS c ON check_id = c.id ${condition}
       ORDER BY raised_at DESC, i.id DESC LIMIT ?`,
      ...[...values, limit],
    );
    return rows.map(({ id, slug, since, raised_at, resolved_at, failures, failure, ...row }) => ({
      ...{ id, check: slug, since, raisedAt: raised_at, failures, flapping: row.flapping === 1 },
      ...{ tags: JSON.parse(row.tags), targets: JSON.parse(row.targets) },
      ...(resolved_at === null ? {} : { resolvedAt: resolved_at }),
      ...(failure === null ? {} : { failure }),
    }));
  }

  #putIncident(row: number, incident: Incident): void {
    const { id, since, raisedAt, resolvedAt, failures, failure, flapping, tags, targets } =
      incident;
    this.run(
      `INSERT INTO health_incident (id, check_id, since, raised_at, resolved_at, failures, failure,
         flapping, tags, targets) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET resolved_at = excluded.resolved_at,
         failures = excluded.failures, failure = excluded.failure, flapping = excluded.flapping,
         tags = excluded.tags, targets = excluded.targets`,
      ...[id, row, since, raisedAt, resolvedAt ?? null, failures, failure ?? null],
      ...[flapping ? 1 : 0, JSON.stringify(tags), JSON.stringify(targets)],
    );
  }

  #prepare(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, statement = this.sql.prepare(text));
    return statement;
  }
}

/** The notices of a change, for each of their targets. */
export function noticesOf({ notice, targets, also = [] }: HealthChange): Waiting[] {
  const notices = [...(notice ? [{ notice, targets }] : []), ...also];
  return notices.flatMap((one) =>
    one.targets.map((target) => ({ target, notice: one.notice, attempts: 0 }))
  );
}
