import type { RecordType } from "../expression/types.ts";
import type { ResultType } from "./kind.ts";

/** No result. */
export const NO_RESULT: ResultType = { title: "", typeOf: () => undefined };

/** The answer of the server, whose type is not known. */
export const ANSWER: ResultType = { title: "the answer", typeOf: () => "dyn" };

/** A job. */
export const JOB: ResultType = { title: "a job", typeOf: () => "JobResult" };

/** A run. */
export const RUN: ResultType = { title: "a run", typeOf: () => "RunResult" };

/** A record with fixed fields. */
export function recordResult(type: RecordType): ResultType {
  const names = Object.entries(type.fields)
    .map(([name, type]) => type.startsWith("list<") ? `${name}[]` : name);
  return {
    title: `\`${names.join(", ")}\``,
    typeOf: (_, { defineType }) => defineType(type),
  };
}
