import type { Mask } from "../engine/mask.ts";
import { toMilliseconds } from "../engine/describe_error.ts";
import type { PlannedCase } from "../engine/run.ts";
import type { Ambient } from "../expression/cel.ts";
import { resolveTemplate, type Template } from "../expression/template.ts";
import { isReceiver } from "../recipe/read_schedule.ts";
import type { AlertRules } from "../schedule/alerts.ts";
import type { Scheduled } from "../schedule/scheduler.ts";
import { cronTimes, cronWindows, fixedWindow } from "../schedule/times.ts";
import { knownValues } from "./known_values.ts";
import { UsageError } from "./usage_error.ts";

/** A recipe's schedule with its values worked out. */
export type Entry = Omit<Scheduled, "run"> & {
  /** The recipe's file. */
  file: string;
  /** Its cases. */
  cases: PlannedCase[];
  /** Who is told when it fails. */
  to: string[];
};

/** What the values of a schedule are made of. */
export interface EntryOptions {
  /** Where `now()`, `uuid()` and `random(n)` come from. */
  ambient: Ambient;
  /** Reads the environment. */
  env(name: string): string | undefined;
  /** Hides secrets in what is wrong. */
  mask: Mask;
}

/**
 * The recipes that have a schedule.
 * @throws {UsageError} When an expression in one gives what does not belong there.
 */
export function scheduledEntries(cases: readonly PlannedCase[], options: EntryOptions): Entry[] {
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

function makeEntry(cases: PlannedCase[], options: EntryOptions): Entry {
  const { recipe } = cases[0]!;
  const values = knownValues(cases[0]!, options);
  const resolve = (template: Template) => resolveTemplate(template, values, options.ambient);
  const ms = (template: Template) => toMilliseconds(resolve(template));
  const count = (template: Template | undefined, what: string) => {
    const value = template ? resolve(template) : 1;
    if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
    throw new Error(`\`${what}\` must be a whole number of at least 1, not ${value}`);
  };
  const { schedule, alert, maintenance, name, source } = recipe;
  const rules: AlertRules | undefined = alert && {
    after: count(alert.after, "after"),
    resolveAfter: count(alert.resolveAfter, "resolve_after"),
    ...(alert.remind ? { remind: Math.max(1000, ms(alert.remind)) } : {}),
  };
  const to = (alert?.to ?? []).map((template) => String(resolve(template)));
  const wrong = to.find((address) => !isReceiver(address));
  if (wrong !== undefined) throw new Error(`\`${wrong}\` is no address to tell`);
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
