import type { RecordType } from "../expression/types.ts";
import type { Leaves } from "./kind.ts";

/** Nothing. */
export const nothing: Leaves = { title: "", typeOf: () => undefined };

/** The answer of the server, whose type is not known. */
export const answer: Leaves = { title: "the answer", typeOf: () => "dyn" };

/** A job. */
export const job: Leaves = { title: "a job", typeOf: () => "JobResult" };

/** A run. */
export const run: Leaves = { title: "a run", typeOf: () => "RunResult" };

/** A record with fixed fields. */
export function recordOf(type: RecordType): Leaves {
  const names = Object.entries(type.fields)
    .map(([name, type]) => type.startsWith("list<") ? `${name}[]` : name);
  return {
    title: `\`${names.join(", ")}\``,
    typeOf: (_, { defineType }) => defineType(type),
  };
}
