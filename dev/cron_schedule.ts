import { suggest } from "../runtime/suggest.ts";
import { isTimeZone } from "../runtime/time_zone.ts";
import { cronPatternProblem } from "./cron_pattern.ts";

/**
 * Thrown when the schedule of a cron entry is not valid.
 *
 * @example
 * ```ts
 * import { defineCron, ScheduleError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * const define = () => defineCron("report", { schedule: "every morning", job: "send-report" });
 * assert.throws(define, ScheduleError);
 * ```
 */
export class ScheduleError extends Error {
  /** Always `"bad_schedule"`. */
  readonly code = "bad_schedule";

  /** Creates an error for an entry with this name and schedule or time zone. */
  constructor(name: string, value: string, reason: string, options?: ErrorOptions) {
    super(`Cannot define cron '${name}': '${value}': ${reason}`, options);
    this.name = "ScheduleError";
  }
}

/**
 * Validates the schedule of a cron entry.
 * @throws {ScheduleError} If the pattern or the time zone is not valid.
 */
export function checkSchedule(name: string, schedule: string, timezone: string = "UTC"): void {
  const problem = cronPatternProblem(schedule);
  if (problem !== undefined) throw new ScheduleError(name, schedule, problem);
  if (isTimeZone(timezone)) return;
  const nearest = nearestTimeZone(timezone);
  const hint = nearest === undefined
    ? 'write one such as "Europe/Berlin"'
    : `did you mean '${nearest}'?`;
  throw new ScheduleError(name, timezone, `there is no such time zone; ${hint}`);
}

/** Finds the time zone whose city is meant. */
function nearestTimeZone(name: string): string | undefined {
  const cities = new Map(Intl.supportedValuesOf("timeZone").map((zone) => [cityOf(zone), zone]));
  const wanted = cityOf(name.trim().replaceAll(" ", "_"));
  const first = wanted.slice(0, 1);
  // Most misspelt names begin with the right letter, and only so many candidates are compared.
  const candidates = [...cities.keys()].sort((a, b) =>
    Number(b.startsWith(first)) - Number(a.startsWith(first))
  );
  const nearest = suggest(wanted, candidates);
  return nearest === undefined ? undefined : cities.get(nearest);
}

function cityOf(zone: string): string {
  return zone.slice(zone.lastIndexOf("/") + 1).toLowerCase();
}
