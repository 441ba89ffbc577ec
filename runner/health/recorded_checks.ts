import type { Clock } from "../../runtime/clock.ts";
import { openDatabase } from "../history/database.ts";
import { HealthDatabase } from "./health_database.ts";
import type { Check, CheckFigures, Incident, RunBar } from "./model.ts";
import { figuresOf } from "./periods.ts";

/** A check of a history, with what is recorded about it. */
export interface RecordedCheck {
  /** The check. Its tags and its schedule are not recorded. */
  check: Pick<Check, "id" | "name" | "file" | "server">;
  /** How often it passed, and how long it took. */
  figures: CheckFigures;
  /** Its newest runs, oldest first. */
  bars: readonly RunBar[];
  /** The incident that it is in. */
  incident?: Incident;
}

/**
 * Reads the checks of a history.
 *
 * @param matches Chooses checks.
 * @param limit How many bars a check has.
 * @throws {HistoryError}
 */
export async function recordedChecks(
  path: string,
  clock: Clock,
  matches: (check: RecordedCheck["check"]) => boolean,
  limit: number,
): Promise<RecordedCheck[]> {
  const sql = await openDatabase(path, { create: false, clock, warn: () => {} });
  try {
    const database = new HealthDatabase(sql);
    const rows = database.all(
      "SELECT slug AS id, name, file, server FROM health_check ORDER BY file, name, server",
    ) as RecordedCheck["check"][];
    return rows.filter(matches).map((row) => {
      const check = { ...row, tags: [], when: "" };
      const incident = database.incident(check);
      return {
        check: { ...row },
        figures: figuresOf(database, check, clock.now()),
        bars: database.bars(check, limit),
        ...(incident && incident.resolvedAt === undefined ? { incident } : {}),
      };
    });
  } finally {
    sql.close();
  }
}
