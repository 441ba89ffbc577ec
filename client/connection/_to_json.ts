import { DispatchError } from "../errors.ts";

/**
 * The JSON text of what a job, run or event is given; nothing is `null`, since servers on SQL
 * stores refuse a payload that is left out.
 *
 * @throws {DispatchError} Of code `"bad_payload"`, when JSON cannot hold it.
 */
export function toJson(what: string, value: unknown): string {
  if (value === undefined) return "null";
  let cause: unknown;
  try {
    const text = JSON.stringify(value);
    if (text !== undefined) return text;
  } catch (error) {
    cause = error;
  }
  throw new DispatchError(`Cannot ${what}: JSON cannot hold what it is given`, "bad_payload", {
    cause,
  });
}
