/** When an alert is raised, repeated and resolved. */
export interface AlertRules {
  /** How many failures in a row raise an alert. */
  after: number;
  /** How many passes in a row resolve it. */
  resolveAfter: number;
  /** The time between reminders in milliseconds; without it there are none. */
  remind?: number;
}

/** The recent results of a recipe, as far as alerts depend on them. */
export interface AlertState {
  /** Failures in a row, up to now. */
  readonly failures: number;
  /** Passes in a row since the alert was raised. */
  readonly passes: number;
  /** When the failures began, in milliseconds since 1970; absent once they are over. */
  readonly since?: number;
  /** When the last notification was sent, in milliseconds since 1970; absent without an alert. */
  readonly notifiedAt?: number;
}

/** What a notification is about. */
export type AlertKind = "raised" | "reminder" | "resolved";

/** The state of a recipe that has not failed. */
export const NO_FAILURES: AlertState = { failures: 0, passes: 0 };

/** The state after one more run, and the notification that it causes, if any. */
export function afterRun(
  state: AlertState,
  passed: boolean,
  at: number,
  rules: AlertRules,
): { state: AlertState; kind?: AlertKind } {
  const { failures, since = at, notifiedAt } = state;
  if (!passed) {
    const failing = { failures: failures + 1, passes: 0, since };
    if (notifiedAt !== undefined) return { state: { ...failing, notifiedAt } };
    return failing.failures < rules.after
      ? { state: failing }
      : { state: { ...failing, notifiedAt: at }, kind: "raised" };
  }
  if (notifiedAt === undefined) return { state: NO_FAILURES };
  const passes = state.passes + 1;
  return passes < rules.resolveAfter
    ? { state: { failures: 0, passes, since, notifiedAt } }
    : { state: NO_FAILURES, kind: "resolved" };
}

/** When the next reminder is due, in milliseconds since 1970; absent when none is. */
export function nextReminder(
  { notifiedAt }: AlertState,
  { remind }: AlertRules,
): number | undefined {
  return notifiedAt === undefined || remind === undefined ? undefined : notifiedAt + remind;
}

/** The state after a reminder. */
export function afterReminder(state: AlertState, at: number): AlertState {
  return { ...state, notifiedAt: at };
}
