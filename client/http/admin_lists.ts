import { JOB_STATES, type JobState, RUN_STATES, type RunState } from "../../protocol/entity.ts";
import { CALL, type CallOptions, checkOptions, NAME, type OptionRules } from "../options.ts";

/** Settings of a list of the admin API. */
export interface AdminListOptions extends CallOptions {
  /**
   * How many items to list; a server sends at most 1,000.
   * @default {50}
   */
  limit?: number;
  /**
   * How many items to leave out, of the oldest.
   * @default {0}
   */
  offset?: number;
}

/** Settings of a list of jobs. */
export interface JobListOptions extends AdminListOptions {
  /** Lists the jobs in this state. A server cannot list those in all states. */
  state: JobState;
  /** Lists the jobs of this queue. A server cannot list those of all queues. */
  queue: string;
}

/** Settings of a list of runs. */
export interface RunListOptions extends AdminListOptions {
  /** Lists the runs in this state. A server cannot list those in all states. */
  state: RunState;
}

/** Settings of a list of dead letters. */
export interface DeadLetterListOptions extends AdminListOptions {
  /** Lists those of this queue. A server cannot list those of all queues. */
  queue: string;
}

/** A list of the admin API, by what it has. */
export type ListName = "jobs" | "workflow runs" | "dead letters" | "cron entries";

/** What the filters of a list must be. A function, so that bundlers can remove it. */
function filtersOf(name: ListName): OptionRules {
  const state = (states: readonly string[]) => states.map((one) => `'${one}'`).join(" or ");
  const queue = NAME.name!;
  if (name === "jobs") return { state: state(JOB_STATES), queue };
  if (name === "workflow runs") return { state: state(RUN_STATES) };
  return name === "dead letters" ? { queue } : {};
}

/**
 * Checks the options of a list and splits them into the parameters of its request and the options of
 * the call. Servers that have lists ask for every parameter.
 */
export function listRequest(
  name: ListName,
  options: AdminListOptions & { state?: string; queue?: string } = {},
): { query: URLSearchParams; call: CallOptions } {
  const rules = filtersOf(name);
  const required = Object.fromEntries(Object.keys(rules).map((key) => [key, ""]));
  const isObject = typeof options === "object" && options !== null;
  checkOptions(`list ${name}`, isObject ? { ...required, ...options } : options, {
    ...rules,
    ...CALL,
    limit: "a whole number of at least 1",
    offset: "a whole number of at least 0",
  });
  const { limit = 50, offset = 0, state, queue, ...call } = options;
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries({ state, queue, limit, offset })) {
    if (value !== undefined) query.set(key, String(value));
  }
  return { query, call };
}
