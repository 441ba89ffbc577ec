import type { StepStatus } from "../events/event.ts";

/** A recipe with a schedule, as alerts, metrics and the page name it. */
export interface Check {
  /** A short name for addresses, unique among all checks: `order-smoke`. */
  readonly id: string;
  /** The recipe's name. */
  readonly name: string;
  /** The recipe's file, relative to the current directory. */
  readonly file: string;
  /** `embedded`, or the host of the server's address. */
  readonly server: string;
  /** The recipe's tags. */
  readonly tags: readonly string[];
  /** When it runs, for people: `every 30s`. */
  readonly when: string;
}

/** What identifies a check across restarts. */
export type CheckKey = Omit<Check, "id">;

/** The result of a run of a check: the worst of its cases. */
export type CheckVerdict = "passed" | "failed" | "errored" | "unchecked";

/** What is wrong with the file of a check, or why it could not be run. Its message holds no secret. */
export interface CheckProblem {
  /** A word that stays the same: the code of a diagnostic or of an error. */
  readonly code: string;
  /** One line. */
  readonly message: string;
  /** The place in a file, if it has one. */
  readonly place?: {
    readonly file: string;
    readonly line: number;
    readonly column: number;
  };
}

/** A step of a run. */
export interface CheckStep {
  /** Its number in the recipe. */
  readonly number: string;
  /** Its label in reports. */
  readonly label: string;
  /** Its result. */
  readonly status: StepStatus;
  /** How long it took, in milliseconds. */
  readonly duration_ms: number;
  /** Whether it waits for something. */
  readonly wait: boolean;
}

/** A finished run of a check. Its texts hold no secret. */
export interface CheckRun {
  /** When it was due, in milliseconds since 1970. */
  readonly slot: number;
  /** When it started, in milliseconds since 1970. */
  readonly at: number;
  /** How long after it was due it started, without its jitter, in milliseconds. */
  readonly lateness_ms: number;
  /** How long it took, in milliseconds. */
  readonly duration_ms: number;
  /** Its result. */
  readonly verdict: CheckVerdict;
  /** The exit code that `run` would have. */
  readonly exitCode: number;
  /** Whether it passed only on a later attempt. */
  readonly flaky: boolean;
  /** Why it did not pass, in one line. */
  readonly failure?: string;
  /** The same with its code and place, for the log; a history does not record them. */
  readonly problem?: CheckProblem;
  /** What the console showed about it, if it did not pass. */
  readonly diagnostics?: string;
  /** Its steps, in the order in which they finished. */
  readonly steps: readonly CheckStep[];
}

/** A period in which a check's alert was raised. Times are in milliseconds since 1970. */
export interface Incident {
  /** Its name, unique in a history. */
  readonly id: string;
  /** The `id` of the check. */
  readonly check: string;
  /** When the check began to fail. */
  readonly since: number;
  /** When the alert was raised. */
  readonly raisedAt: number;
  /** When it was resolved; absent while it is raised. */
  readonly resolvedAt?: number;
  /** How many runs have failed in it. */
  readonly failures: number;
  /** Why the last of them failed, in one line. */
  readonly failure?: string;
  /** Whether the check has changed so often that its alert stays raised until it is stable. */
  readonly flapping: boolean;
  /** The check's tags. */
  readonly tags: readonly string[];
  /** The names of the targets that were told. */
  readonly targets: readonly string[];
}

/**
 * What a notice says: the alert was raised, is still raised, is raised for a check that fails and
 * passes by turns, or is resolved.
 */
export type NoticeKind = "raised" | "reminder" | "flapping" | "resolved";

/** A message about an alert, for every target that it is sent to. */
export interface Notice {
  /**
   * The same for each attempt to send it, also after a restart, and never that of another notice.
   * Receivers can tell by it what they have seen.
   */
  readonly id: string;
  /** What it says. */
  readonly kind: NoticeKind;
  /** The check. */
  readonly check: Check;
  /** The `id` of the incident that it is about. */
  readonly incident: string;
  /** When it was made, in milliseconds since 1970. */
  readonly at: number;
  /** When the check began to fail, in milliseconds since 1970. */
  readonly since: number;
  /** How many runs have failed in the incident. */
  readonly failures: number;
  /** Why the last run failed, in one line; absent when the alert is resolved. */
  readonly failure?: string;
  /** Whether the alert is over because its check is not scheduled any more. */
  readonly removed?: boolean;
}

/** A notice that waits for a target. */
export interface Waiting {
  /** The target's name. */
  target: string;
  /** The notice. */
  notice: Notice;
  /** How often sending it has failed. */
  attempts: number;
}

/** How often a check passed in a period, and how long it took. */
export interface Figures {
  /** The number of runs. */
  readonly runs: number;
  /** The share of runs that passed, from 0 to 1; absent without runs. */
  readonly uptime?: number;
  /** The median duration of runs that passed, in milliseconds. */
  readonly p50_ms?: number;
  /** The duration that 95 % of the runs that passed did not exceed, in milliseconds. */
  readonly p95_ms?: number;
}

/** The figures of a check for the last day, the last 7 days and the last 90 days. */
export interface CheckFigures {
  /** The last 24 hours. */
  readonly day: Figures;
  /** The last 7 days. */
  readonly week: Figures;
  /** The last 90 days. */
  readonly quarter: Figures;
}

/** One run as a bar in a picture. */
export interface RunBar {
  /** When the run started, in milliseconds since 1970. */
  readonly at: number;
  /** Its result. */
  readonly verdict: CheckVerdict;
  /** How long it took, in milliseconds. */
  readonly duration_ms: number;
}

/** The name of the badge that sums up all checks, which none of them has. */
export const ALL = "all";

/** The longest `id` of a check without its number, in characters. */
const MAX_ID = 60;

/**
 * Makes an `id` for addresses from a name: `Order smoke (eu)` becomes `order-smoke-eu`. If it is taken,
 * a number follows.
 */
export function freeId(name: string, isTaken: (id: string) => boolean): string {
  const words = name.normalize("NFKD").toLowerCase().match(/[a-z0-9]+/g) ?? ["check"];
  const base = words.join("-").slice(0, MAX_ID).replace(/-$/, "");
  for (let number = 1;; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    if (id !== ALL && !isTaken(id)) return id;
  }
}
