import type { CommandContext } from "../command.ts";
import type { ShownFailure } from "./print.ts";

/** Prints a failure as a line of JSON. */
export function printJsonFailure(
  { found, command, otherCommands }: ShownFailure,
  { out, mask }: CommandContext,
): void {
  const { result, seeds, isRepeatable, only } = found;
  const { seed, finished, faults, timeline } = result;
  const { name, file, status, failure } = finished;
  const line = {
    type: "failure",
    ...{ name, file, status, seed, only, seeds },
    repeatable: isRepeatable,
    faults: faults.injected.map(({ key, at, text }) => ({ key, at_ms: at, text })),
    ...(failure ? { failure } : {}),
    timeline: timeline.map(({ at, text, fault }) => ({
      at_ms: at,
      text,
      ...(fault === undefined ? {} : { fault }),
    })),
    command,
    other_commands: otherCommands,
  };
  out.write(`${JSON.stringify(mask.value(line))}\n`);
}

/** Prints the end of an exploration as a line of JSON. */
export function printJsonSummary(
  seeds: number,
  failures: number,
  duration_ms: number,
  { out }: CommandContext,
): void {
  out.write(`${JSON.stringify({ type: "summary", seeds, failures, duration_ms })}\n`);
}
