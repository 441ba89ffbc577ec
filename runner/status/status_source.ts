import type {
  Check,
  CheckFigures,
  CheckProblem,
  CheckRun,
  Incident,
  RunBar,
} from "../health/model.ts";

/**
 * The state of a check as the page shows it: its alert is raised; its last run did not pass; its file is
 * broken; it is in maintenance; its last run passed; it has not run.
 */
export const CHECK_STATES = [
  "alerting",
  "failing",
  "broken",
  "maintenance",
  "passing",
  "pending",
] as const;

/** The state of a check as the page shows it. */
export type CheckState = (typeof CHECK_STATES)[number];

/** What the page, the API and badges show of a check. Times are in milliseconds since 1970. */
export interface CheckView {
  /** The check. */
  check: Check;
  /** Its state. */
  state: CheckState;
  /** What is wrong with its file, whose last good version runs. */
  problem?: CheckProblem;
  /** Until when it is in maintenance. */
  maintenanceUntil?: number;
  /** When it runs next. */
  next?: number;
  /** Its last run. */
  last?: CheckRun;
  /** Its newest runs, oldest first. */
  bars: readonly RunBar[];
  /** How often it passed, and how long it took; absent for the first moments of a schedule. */
  figures?: CheckFigures;
  /** The incident that it is in. */
  incident?: Incident;
}

/** What the page reads. */
export interface StatusSource {
  /** All checks, in the order of their files. */
  checks(): CheckView[];
  /** One check. */
  check(id: string): CheckView | undefined;
  /** The runs of a check, newest first, each with a number to continue `before`. */
  runs(id: string, limit: number, before?: number): (CheckRun & { id: number })[];
  /** Incidents, newest first: of a check, or of all. */
  incidents(limit: number, id?: string): Incident[];
  /** How long ago the scheduler looked at the clock, in milliseconds. */
  sinceTick(): number;
  /** Why the history cannot be written; absent while it can. */
  problem(): string | undefined;
  /**
   * Calls back with the `id` of each check that changes, and without one when a check comes or goes.
   * Returns a function that ends this.
   */
  listen(onChange: (id?: string) => void): () => void;
}

/** How long the scheduler may not look at the clock before it counts as hanging, in milliseconds. */
const LONGEST_TICK = 60_000;

/** Whether the scheduler has not looked at the clock for too long. */
export function isHanging(source: Pick<StatusSource, "sinceTick">): boolean {
  return source.sinceTick() > LONGEST_TICK;
}

/** A problem in one line, with its place. */
export function problemText({ message, place }: CheckProblem): string {
  return place ? `${place.file}:${place.line}:${place.column}: ${message}` : message;
}

/** What is wrong, in one word for a badge and a few for a headline. */
export function overall(views: readonly CheckView[]): { state: CheckState; text: string } {
  const count = (state: CheckState) => views.filter((view) => view.state === state).length;
  const failing = count("alerting") + count("failing");
  if (failing > 0) {
    const state = count("alerting") > 0 ? "alerting" : "failing";
    return { state, text: `${failing} of ${views.length} failing` };
  }
  if (count("broken") > 0) return { state: "broken", text: `${count("broken")} broken` };
  if (views.length > 0 && count("pending") === views.length) {
    return { state: "pending", text: "not run yet" };
  }
  return { state: "passing", text: views.length === 1 ? "passing" : `all ${views.length} passing` };
}
