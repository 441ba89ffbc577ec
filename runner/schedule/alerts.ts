/** When alerts are raised, repeated and resolved. */
export interface AlertRules {
  /** How many failures in a row raise one. */
  after: number;
  /** How many passes in a row resolve it. */
  resolveAfter: number;
  /** How often it is repeated while it lasts, in milliseconds; never where it is not given. */
  remind?: number;
}

/** What is known of a recipe's last runs. */
export interface AlertState {
  /** Failures in a row, up to now. */
  readonly failures: number;
  /** Passes in a row since an alert was raised. */
  readonly passes: number;
  /** When it began to fail, in milliseconds since 1970; absent where it does not. */
  readonly since?: number;
  /** When an alert was last told; absent where there is none. */
  readonly told?: number;
}

/** What is worth telling. */
export type AlertKind = "raised" | "reminder" | "resolved";

/** Nothing has failed. */
export const CALM: AlertState = { failures: 0, passes: 0 };

/** What a run changes. */
export function afterRun(
  state: AlertState,
  passed: boolean,
  at: number,
  rules: AlertRules,
): { state: AlertState; kind?: AlertKind } {
  const { failures, since = at, told } = state;
  if (!passed) {
    const failing = { failures: failures + 1, passes: 0, since };
    if (told !== undefined) return { state: { ...failing, told } };
    return failing.failures < rules.after
      ? { state: failing }
      : { state: { ...failing, told: at }, kind: "raised" };
  }
  if (told === undefined) return { state: CALM };
  const passes = state.passes + 1;
  return passes < rules.resolveAfter
    ? { state: { failures: 0, passes, since, told } }
    : { state: CALM, kind: "resolved" };
}

/** When an alert is to be repeated, in milliseconds since 1970. */
export function remindAt({ told }: AlertState, { remind }: AlertRules): number | undefined {
  return told === undefined || remind === undefined ? undefined : told + remind;
}

/** The state once an alert was repeated. */
export function reminded(state: AlertState, at: number): AlertState {
  return { ...state, told: at };
}
