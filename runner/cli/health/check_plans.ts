import { toMilliseconds } from "../../engine/describe_error.ts";
import type { Mask } from "../../engine/mask.ts";
import type { PlannedCase } from "../../engine/run.ts";
import { resolveTemplate, type Template } from "../../expression/template.ts";
import type { AlertRules } from "../../health/alert_rules.ts";
import type { CheckKey } from "../../health/model.ts";
import type { Alerting } from "../../health/decide.ts";
import { fileKey, serverKey } from "../../history/case_key.ts";
import type { AlertPlan, Maintenance, Recipe } from "../../language/model.ts";
import type { Heartbeat } from "../../notify/heartbeat.ts";
import { safeLine } from "../../report/plain_text.ts";
import { isReceiver } from "../../recipe/read_alert.ts";
import {
  cronTimes,
  cronWindows,
  fixedWindow,
  intervalTimes,
  type NextTime,
  type WindowAt,
} from "../../schedule/calendar.ts";
import { UsageError } from "../args.ts";
import { staticScope, type StaticScopeOptions } from "../static_scope.ts";
import { openHeartbeat, type ResolveOptions } from "./open_targets.ts";
import type { HealthSettings } from "./settings.ts";

/** A recipe with its schedule, all expressions resolved. Durations are in milliseconds. */
export interface CheckPlan {
  /** What identifies it across restarts. */
  key: CheckKey;
  /** The recipe's file, as the command line names it. */
  file: string;
  /** The recipe's cases. */
  cases: PlannedCase[];
  /** Returns the first scheduled time after another one. */
  next: NextTime;
  /** The longest random delay of a run. */
  jitter: number;
  /** The maintenance windows, in which it does not run. */
  maintenance: readonly WindowAt[];
  /** The time from a run that failed to the next one. */
  everyWhileFailing?: number;
  /** When and whom it alerts. */
  alerting: Alerting;
  /** Whether its alerts are told: it has an `alert`, or the settings have `defaults`. */
  isTold: boolean;
  /** Whom each of its runs is told to. */
  heartbeat?: Heartbeat;
}

/** Settings of {@linkcode checkPlans}. */
export interface CheckPlanOptions extends StaticScopeOptions {
  /** The settings of the schedule. */
  settings: HealthSettings | undefined;
  /** The name of the server. */
  server: string;
  /** Masks secrets in error messages. */
  mask: Mask;
}

/** The most characters of a name in a message, a metric or on the page. */
const MAX_TEXT = 200;

/** The shortest time between two runs or reminders, in milliseconds. */
const SHORTEST_INTERVAL = 1_000;

/**
 * Resolves the schedules of all recipes that have one.
 * @throws {UsageError} When an expression in a schedule has an invalid value.
 */
export function checkPlans(
  cases: readonly PlannedCase[],
  options: CheckPlanOptions,
): CheckPlan[] {
  const recipes = new Set(cases.map(({ recipe }) => recipe));
  return [...recipes].flatMap((recipe) => {
    const own = cases.filter((one) => one.recipe === recipe);
    try {
      return recipe.schedule ? [makePlan(own, recipe, options)] : [];
    } catch (error) {
      const message = `Cannot schedule '${recipe.source.name}': ${(error as Error).message}`;
      throw new UsageError(options.mask.text(message));
    }
  });
}

/** The name that a history has for a server. */
export function recordedServer(server: string, mask: Mask): string {
  return safeLine(mask.text(serverKey(server)), MAX_TEXT);
}

function makePlan(cases: PlannedCase[], recipe: Recipe, options: CheckPlanOptions): CheckPlan {
  const { settings, server, ambient } = options;
  const scope = staticScope(cases[0]!, options);
  const values: ResolveOptions = { scope, ambient };
  const { name, source, tags, schedule, alert, maintenance, heartbeat } = recipe;
  const { cron, timezone, every, jitter, everyWhileFailing } = schedule!;
  // Half a secret would not be found: texts are masked before they are cut.
  const line = (text: string) => safeLine(options.mask.text(text), MAX_TEXT);
  const key = {
    name: line(name),
    file: line(fileKey(source.name)),
    server: recordedServer(server, options.mask),
    tags: tags.map(line),
    when: cron === undefined
      ? `every ${resolveTemplate(every!, scope, ambient)}`
      : `${cron} (${timezone})`,
  };
  const { within, ...defaults } = settings?.defaults ?? {};
  // `within` replaces `after`, so that a default one must not replace the recipe's own.
  const isDefault = within !== undefined && alert?.after === undefined;
  const plan = { ...defaults, ...(isDefault ? { within } : {}), ...alert };
  return {
    key,
    file: source.name,
    cases,
    next: cron === undefined
      ? intervalTimes(interval(every!, "every", values), `${key.file} ${name}`)
      : cronTimes(cron, timezone),
    jitter: jitter ? toMilliseconds(resolveTemplate(jitter, scope, ambient), jitter) : 0,
    maintenance: [...settings?.maintenance ?? [], ...maintenance].map((one) =>
      windowOf(one, values)
    ),
    ...(everyWhileFailing
      ? { everyWhileFailing: interval(everyWhileFailing, "every_while_failing", values) }
      : {}),
    alerting: {
      rules: rulesOf(plan, values),
      targets: receiversOf(plan, tags, settings, values),
    },
    isTold: alert !== undefined || Object.keys(settings?.defaults ?? {}).length > 0,
    ...(heartbeat ? { heartbeat: openHeartbeat(heartbeat, values) } : {}),
  };
}

function interval(
  template: Template,
  field: string,
  { scope, ambient }: ResolveOptions,
): number {
  const ms = toMilliseconds(resolveTemplate(template, scope, ambient), template);
  if (ms < SHORTEST_INTERVAL) throw new Error(`\`${field}\` must be at least 1 s`);
  return ms;
}

function rulesOf(
  { after, within, resolveAfter, remind, flapping }: AlertPlan,
  values: ResolveOptions,
): AlertRules {
  const { scope, ambient } = values;
  const count = (template: Template | undefined, field: string) => {
    const value = template ? resolveTemplate(template, scope, ambient) : 1;
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    throw new Error(`\`${field}\` must be a whole number of at least 1, not ${value}`);
  };
  return {
    after: count(after, "after"),
    resolveAfter: count(resolveAfter, "resolve_after"),
    ...(within ? { within: { failures: within.count, ms: within.ms } } : {}),
    ...(remind ? { remind: interval(remind, "remind", values) } : {}),
    ...(flapping ? { flapping: { changes: flapping.count, ms: flapping.ms } } : {}),
  };
}

/** The receivers of a recipe: its own or the default ones, and those of its tags. */
function receiversOf(
  { to = [] }: AlertPlan,
  tags: readonly string[],
  settings: HealthSettings | undefined,
  { scope, ambient }: ResolveOptions,
): string[] {
  const routes = (settings?.routes ?? []).filter((route) =>
    route.tags.some((tag) => tags.includes(tag))
  );
  const receivers = [...to, ...routes.flatMap((route) => route.to)]
    .map(({ name }) => String(resolveTemplate(name, scope, ambient)));
  const invalid = receivers.find((receiver) => !isReceiver(receiver));
  if (invalid !== undefined) {
    throw new Error(`\`${invalid}\` is not the name of a target, a URL or a mail address`);
  }
  return [...new Set(receivers)];
}

function windowOf(window: Maintenance, { scope, ambient }: ResolveOptions): WindowAt {
  if (!("cron" in window)) return fixedWindow(window);
  const { cron, timezone, duration } = window;
  const ms = toMilliseconds(resolveTemplate(duration, scope, ambient), duration);
  return cronWindows(cronTimes(cron, timezone), ms);
}
