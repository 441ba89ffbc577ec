import { toMilliseconds } from "../engine/describe_error.ts";
import type { Mask } from "../engine/mask.ts";
import type { PlannedCase } from "../engine/run.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import { isReceiver } from "../recipe/read_schedule.ts";
import type { AlertRules } from "../schedule/alerts.ts";
import { cronTimes, cronWindows, fixedWindow } from "../schedule/calendar.ts";
import type { ScheduledRecipe } from "../schedule/scheduler.ts";
import { UsageError } from "./args.ts";
import { staticScope, type StaticScopeOptions } from "./static_scope.ts";

/** A recipe with its schedule, all expressions resolved. */
export type ScheduleEntry = Omit<ScheduledRecipe, "run"> & {
  /** The recipe's file. */
  file: string;
  /** The recipe's cases. */
  cases: PlannedCase[];
  /** The addresses that alerts are sent to. */
  to: string[];
};

/** Settings of {@linkcode scheduleEntries}. */
export interface ScheduleEntryOptions extends StaticScopeOptions {
  /** Masks secrets in error messages. */
  mask: Mask;
}

/**
 * Resolves the schedules of all recipes that have one.
 * @throws {UsageError} When an expression in a schedule has an invalid value.
 */
export function scheduleEntries(
  cases: readonly PlannedCase[],
  options: ScheduleEntryOptions,
): ScheduleEntry[] {
  const recipes = new Set(cases.map(({ recipe }) => recipe));
  return [...recipes].flatMap((recipe) => {
    const own = cases.filter((one) => one.recipe === recipe);
    try {
      return recipe.schedule ? [makeEntry(own, options)] : [];
    } catch (error) {
      const message = `Cannot schedule '${recipe.source.name}': ${(error as Error).message}`;
      throw new UsageError(options.mask.text(message));
    }
  });
}

function makeEntry(cases: PlannedCase[], options: ScheduleEntryOptions): ScheduleEntry {
  const { recipe } = cases[0]!;
  const scope = staticScope(cases[0]!, options);
  const resolve = (template: Template) => resolveTemplate(template, scope, options.ambient);
  const ms = (template: Template) => toMilliseconds(resolve(template), template);
  const count = (template: Template | undefined, field: string) => {
    const value = template ? resolve(template) : 1;
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    throw new Error(`\`${field}\` must be a whole number of at least 1, not ${value}`);
  };
  const { schedule, alert, maintenance, name, source } = recipe;
  const rules: AlertRules | undefined = alert && {
    after: count(alert.after, "after"),
    resolveAfter: count(alert.resolveAfter, "resolve_after"),
    ...(alert.remind ? { remind: Math.max(1000, ms(alert.remind)) } : {}),
  };
  const to = (alert?.to ?? []).map((template) => String(resolve(template)));
  const invalid = to.find((address) => !isReceiver(address));
  if (invalid !== undefined) throw new Error(`\`${invalid}\` is not a URL or an email address`);
  return {
    name,
    file: source.name,
    cases,
    to,
    next: cronTimes(schedule!.cron, schedule!.timezone),
    jitter: schedule!.jitter ? ms(schedule!.jitter) : 0,
    maintenance: maintenance.map((one) =>
      "cron" in one
        ? cronWindows(cronTimes(one.cron, one.timezone), ms(one.duration))
        : fixedWindow(one)
    ),
    ...(rules ? { rules } : {}),
  };
}
