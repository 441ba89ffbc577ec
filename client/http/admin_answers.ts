import type { AdminStats, JobCounts } from "../../protocol/admin.ts";
import { JOB_STATES, RUN_STATES } from "../../protocol/entity.ts";
import { DispatchError } from "../errors.ts";

/**
 * Checks that an answer has numbers in the given fields.
 * @throws {DispatchError} With the code `"bad_answer"`, if one is missing.
 */
export function countIn<Key extends string>(
  what: string,
  answer: unknown,
  ...keys: readonly Key[]
): Record<Key, number> {
  const fields = Object(answer) as Record<Key, number>;
  const missing = keys.find((key) => typeof fields[key] !== "number");
  if (missing === undefined) return fields;
  throw badAnswer(what, `the answer has no ${missing}`);
}

/** Reads the jobs by state. */
export function jobCounts(what: string, answer: unknown): JobCounts {
  return countIn(what, answer, ...JOB_STATES);
}

/** Reads the statistics. */
export function adminStats(what: string, answer: unknown): AdminStats {
  const stats = countIn(what, answer, "dlq_count") as unknown as AdminStats;
  jobCounts(what, stats.jobs);
  countIn(what, stats.workflows, ...RUN_STATES);
  return stats;
}

/** Reads the names of the workflows, which servers send in random order. */
export function workflowNames(what: string, answer: unknown): string[] {
  const { names } = Object(answer) as { names?: unknown };
  if (names === null) return [];
  if (Array.isArray(names)) return names.map(String).sort();
  throw badAnswer(what, "the answer has no names");
}

/** Creates a function that reads a list, for which servers may send `null`. */
export function listOf<T>(what: string, decode: (item: unknown) => T): (answer: unknown) => T[] {
  return (answer) => {
    if (answer === null) return [];
    if (Array.isArray(answer)) return answer.map((item: unknown) => decode(item));
    throw badAnswer(what, "the answer is not a list");
  };
}

function badAnswer(what: string, why: string): DispatchError {
  return new DispatchError(`Cannot ${what}: ${why}`, "bad_answer");
}
