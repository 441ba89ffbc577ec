import type { Step } from "../language/model.ts";

/** The ids under which steps leave something, those of steps inside them included. */
export function idsOf(steps: readonly Step[]): string[] {
  return steps.flatMap(({ id, fields }) => [
    ...(id === undefined ? [] : [id]),
    ...(Array.isArray(fields.parallel) ? idsOf(fields.parallel) : []),
  ]);
}
