import { optional, type OptionRules, someText, trueOrFalse } from "../runtime/check_options.ts";
import { checkSchedule } from "./cron_schedule.ts";
import { jsonValue } from "./option_rules.ts";
import { checkArgument, checkOptions } from "./options_error.ts";

/** Settings of {@linkcode defineCron}. */
export interface CronOptions {
  /** When the entry fires: five fields, or `@every 30s`, `@hourly`, `@daily`. */
  schedule: string;
  /** The name of the job to enqueue. */
  job: string;
  /**
   * The payload of the job.
   * @default {{}}
   */
  payload?: unknown;
  /**
   * The queue to put the job into.
   * @default {the job's own queue}
   */
  queue?: string;
  /**
   * The time zone of the schedule, such as `"Europe/Berlin"`.
   * @default {"UTC"}
   */
  timezone?: string;
  /**
   * Whether the entry fires. One that does not can be enabled with the admin API.
   * @default {true}
   */
  enabled?: boolean;
}

/** The definition of a cron entry, for a {@linkcode Workload}. */
export interface CronDefinition {
  /** Distinguishes it from the other definitions. */
  readonly kind: "cron";
  /** The entry's name. */
  readonly name: string;
  /** Its settings. */
  readonly options: CronOptions;
}

/**
 * Defines a cron entry, which enqueues a job on a schedule.
 *
 * @example
 * ```ts
 * import { defineCron } from "@dispatch/sdk/dev";
 *
 * const report = defineCron("report", {
 *   schedule: "0 7 * * 1-5",
 *   timezone: "Europe/Berlin",
 *   job: "send-report",
 * });
 * ```
 *
 * @throws {OptionsError} If an option is not valid.
 * @throws {ScheduleError} If the schedule or the time zone is not valid.
 */
export function defineCron(name: string, options: CronOptions): CronDefinition {
  checkArgument("define cron", "name", name, someText);
  checkOptions(`define cron '${name}'`, options, CRON_RULES);
  checkSchedule(name, options.schedule, options.timezone);
  return { kind: "cron", name, options };
}

const CRON_RULES: OptionRules = {
  schedule: someText,
  job: someText,
  payload: optional(jsonValue),
  queue: optional(someText),
  timezone: optional(someText),
  enabled: optional(trueOrFalse),
};
