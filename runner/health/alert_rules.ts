/** When an alert is raised, repeated and resolved. Durations are in milliseconds. */
export interface AlertRules {
  /** How many failures in a row raise an alert. */
  readonly after: number;
  /** Raises an alert instead when so many runs have failed in a period, in a row or not. */
  readonly within?: { readonly failures: number; readonly ms: number };
  /** How many passes in a row resolve it. */
  readonly resolveAfter: number;
  /** The time between reminders; without it there are none. */
  readonly remind?: number;
  /**
   * An alert that is raised and resolved so often in a period is flapping: it stays raised until its
   * check has passed for half of the period.
   */
  readonly flapping?: { readonly changes: number; readonly ms: number };
}

/** The recent results of a check, as far as its alert depends on them. Times are in milliseconds. */
export interface AlertState {
  /** The time of the last run or reminder. */
  readonly at: number;
  /** Failures in a row, up to now. */
  readonly failures: number;
  /** Passes in a row, up to now. */
  readonly passes: number;
  /** When the failures began; absent once they are over. */
  readonly since?: number;
  /** When the last run failed. */
  readonly failedAt?: number;
  /** When runs failed in the period of `within`, oldest first. */
  readonly recent?: readonly number[];
  /** When the alert was raised and resolved in the period of `flapping`, oldest first. */
  readonly changes?: readonly number[];
  /** The alert; absent when none is raised. */
  readonly raised?: AlertRaised;
}

/** An alert that is raised. */
export interface AlertRaised {
  /** When the last notice about it was made. */
  readonly notifiedAt: number;
  /** Whether it is flapping. */
  readonly flapping: boolean;
  /**
   * The same alert by other names, raised again by a process that could not read that it was: the
   * targets that were told of these are told of their end, too.
   */
  readonly also?: readonly { readonly incident: string; readonly targets: readonly string[] }[];
}

/** What a run or the time has changed. */
export type AlertChange = "raised" | "flapping" | "resolved";

/** The state of a check that has not run. */
export const NEVER_RUN: AlertState = { at: 0, failures: 0, passes: 0 };

/**
 * The state after one more run, and how it changes the alert, if it does.
 *
 * @param at When the run ended. A clock that was set must not be seen here: see {@linkcode rebase}.
 */
export function afterRun(
  before: AlertState,
  passed: boolean,
  at: number,
  rules: AlertRules,
): { state: AlertState; change?: AlertChange } {
  const counted = count(before, passed, at, rules);
  if (before.raised) {
    return isOver(counted, before.raised.flapping, at, rules) ? resolve(counted, at) : {
      state: { ...counted, raised: before.raised },
    };
  }
  return !passed && isTooMuch(counted, rules) ? raise(counted, at, rules) : { state: counted };
}

/** When the next reminder is due; absent when none is. */
export function nextReminder({ raised }: AlertState, { remind }: AlertRules): number | undefined {
  return raised === undefined || remind === undefined ? undefined : raised.notifiedAt + remind;
}

/** The state after a reminder, or after one that a maintenance window left out. */
export function afterReminder(state: AlertState, at: number): AlertState {
  return state.raised ? { ...state, at, raised: { ...state.raised, notifiedAt: at } } : state;
}

/**
 * Moves all times of a state by as much as the clock was set back, so that `at` is not before them.
 * The time between them stays what it was.
 */
export function rebase(state: AlertState, at: number): AlertState {
  const by = at - state.at;
  if (by >= 0) return state;
  const { since, failedAt, recent, changes, raised } = state;
  const moved = (time: number) => time + by;
  return {
    ...state,
    at,
    ...(since === undefined ? {} : { since: moved(since) }),
    ...(failedAt === undefined ? {} : { failedAt: moved(failedAt) }),
    ...(recent ? { recent: recent.map(moved) } : {}),
    ...(changes ? { changes: changes.map(moved) } : {}),
    ...(raised ? { raised: { ...raised, notifiedAt: moved(raised.notifiedAt) } } : {}),
  };
}

/** Counts a run. */
function count(
  before: AlertState,
  passed: boolean,
  at: number,
  { within, flapping }: AlertRules,
): AlertState {
  const recent = within &&
    [...(before.recent ?? []), ...(passed ? [] : [at])].filter((time) => time > at - within.ms);
  const changes = flapping && before.changes?.filter((time) => time > at - flapping.ms);
  const kept = { ...(recent?.length ? { recent } : {}), ...(changes?.length ? { changes } : {}) };
  if (!passed) {
    const since = before.since ?? at;
    return { at, failures: before.failures + 1, passes: 0, since, failedAt: at, ...kept };
  }
  // An alert that is raised, or may be by failures that are not in a row, has begun with the first.
  const { since, failedAt } = before;
  const goesOn = before.raised !== undefined || recent?.length;
  return {
    ...{ at, failures: 0, passes: before.passes + 1 },
    ...(goesOn && since !== undefined ? { since } : {}),
    ...(goesOn && failedAt !== undefined ? { failedAt } : {}),
    ...kept,
  };
}

function isTooMuch({ failures, recent = [] }: AlertState, { after, within }: AlertRules): boolean {
  return within ? recent.length >= within.failures : failures >= after;
}

function isOver(
  { passes, recent = [], failedAt }: AlertState,
  isFlapping: boolean,
  at: number,
  { resolveAfter, within, flapping }: AlertRules,
): boolean {
  if (passes < resolveAfter) return false;
  // Else the next failure would raise it again.
  if (within && recent.length >= within.failures) return false;
  return !isFlapping || !flapping || at - (failedAt ?? at) >= flapping.ms / 2;
}

function raise(state: AlertState, at: number, { flapping }: AlertRules): {
  state: AlertState;
  change: AlertChange;
} {
  const changes = [...(state.changes ?? []), at];
  const isFlapping = flapping !== undefined && changes.length >= flapping.changes;
  const raised = { notifiedAt: at, flapping: isFlapping };
  return {
    state: { ...state, ...(flapping ? { changes } : {}), raised },
    change: isFlapping ? "flapping" : "raised",
  };
}

function resolve(state: AlertState, at: number): { state: AlertState; change: AlertChange } {
  const { since: _, failedAt: __, ...rest } = state;
  const changes = rest.changes ? { changes: [...rest.changes, at] } : {};
  return { state: { ...rest, ...changes }, change: "resolved" };
}
