import {
  afterReminder,
  afterRun,
  type AlertRules,
  type AlertState,
  nextReminder,
  rebase,
} from "./alert_rules.ts";
import type { HealthChange } from "./health_database.ts";
import type { Check, CheckRun, Incident, Notice, NoticeKind } from "./model.ts";

/** What is known about a check before a run or a reminder. */
export interface CheckBefore {
  /** The state of its alert. */
  alert: AlertState;
  /** Its newest incident. */
  incident?: Incident | undefined;
}

/** When and whom a run or a reminder alerts. */
export interface Alerting {
  /** When alerts are raised, repeated and resolved. */
  rules: AlertRules;
  /** The names of the targets that are told. */
  targets: readonly string[];
}

/** How alerts of a check are decided. */
export interface AlertSettings extends Alerting {
  /** The time now by the wall clock, to show, in milliseconds since 1970. */
  now: number;
  /** The time now by a clock that nobody sets, to measure with; see `steadyTime`. */
  at: number;
}

/** Decides what a run changes. */
export function decideRun(
  check: Check,
  run: CheckRun,
  before: CheckBefore,
  settings: AlertSettings,
): HealthChange {
  const { rules, targets, at, now } = settings;
  const passed = run.verdict === "passed";
  const { state, change } = afterRun(rebase(before.alert, at), passed, at, rules);
  const result = { check, run, alert: state, targets };
  if (change === "raised" || change === "flapping") {
    const incident: Incident = {
      id: `${check.id}-${now.toString(36)}`,
      check: check.id,
      since: Math.round(now - (at - state.since!)),
      raisedAt: now,
      failures: Math.max(state.failures, state.recent?.length ?? 0),
      ...(run.failure === undefined ? {} : { failure: run.failure }),
      flapping: change === "flapping",
      ...{ tags: check.tags, targets },
    };
    return { ...result, incident, notice: noticeOf(change, check, incident, now) };
  }
  const open = openIncident(before);
  if (!open) return result;
  if (change === "resolved") {
    const incident = { ...open, resolvedAt: now };
    return { ...result, incident, ...resolvedNotices(check, before, incident, now) };
  }
  if (passed) return result;
  const { failure = open.failure } = run;
  const told = { tags: check.tags, targets };
  const incident = {
    ...open,
    ...told,
    failures: open.failures + 1,
    ...(failure ? { failure } : {}),
  };
  return { ...result, incident };
}

/**
 * Decides whether a reminder is due, and what it changes.
 *
 * @param isQuiet Whether it is left out, as in a maintenance window; the next one is as far away.
 */
export function decideReminder(
  check: Check,
  before: CheckBefore,
  { rules, targets, at, now }: AlertSettings,
  isQuiet: boolean,
): HealthChange | undefined {
  const alert = rebase(before.alert, at);
  const due = nextReminder(alert, rules);
  const incident = openIncident(before);
  if (due === undefined || due > at || !incident) return undefined;
  const change = { check, alert: afterReminder(alert, at), targets };
  return isQuiet ? change : { ...change, notice: noticeOf("reminder", check, incident, now) };
}

/** Ends the alert of a check that is not scheduled any more. */
export function decideEnd(
  check: Check,
  before: CheckBefore,
  { targets, now }: Pick<AlertSettings, "targets" | "now">,
): HealthChange | undefined {
  const open = openIncident(before);
  if (!open) return undefined;
  const { raised: _, since: __, failedAt: ___, ...rest } = before.alert;
  const alert = { ...rest, failures: 0 };
  const incident = { ...open, resolvedAt: now };
  const notices = resolvedNotices(check, before, incident, now, { removed: true });
  return { check, alert, targets, incident, ...notices };
}

/** The notices that an alert is over, by all its names. */
function resolvedNotices(
  check: Check,
  { alert }: CheckBefore,
  incident: Incident,
  now: number,
  more: { removed?: true } = {},
): Pick<HealthChange, "notice" | "also"> & { notice: Notice } {
  const noticeFor = (id: string) => ({
    ...noticeOf("resolved", check, { ...incident, id }, now),
    ...more,
  });
  const also = (alert.raised?.also ?? [])
    .map(({ incident: id, targets }) => ({ notice: noticeFor(id), targets }));
  return { notice: noticeFor(incident.id), ...(also.length > 0 ? { also } : {}) };
}

/** The incident that a check is in, if its alert is raised. */
export function openIncident({ alert, incident }: CheckBefore): Incident | undefined {
  return alert.raised && incident && incident.resolvedAt === undefined ? incident : undefined;
}

/** The notice about an alert, if it is raised. */
export function raisedNotice(check: Check, before: CheckBefore, now: number): Notice | undefined {
  const open = openIncident(before);
  return open && noticeOf(open.flapping ? "flapping" : "raised", check, open, now);
}

function noticeOf(kind: NoticeKind, check: Check, incident: Incident, now: number): Notice {
  const { id, since, failures, failure } = incident;
  return {
    id: kind === "reminder" ? `${id}-reminder-${now.toString(36)}` : `${id}-${kind}`,
    ...{ kind, check, incident: id, at: now, since, failures },
    ...(failure === undefined || kind === "resolved" ? {} : { failure }),
  };
}
