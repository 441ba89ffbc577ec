import { formatDuration } from "../../language/duration.ts";
import { failureLines, UNCHECKED } from "../../report/console/lines.ts";
import type { Output } from "../../report/reporter.ts";
import { makeStyle, terminalText } from "../../report/terminal.ts";
import type { Found } from "./search.ts";
import type { SeedResult } from "./seed_run.ts";

/** A failure, and the command that repeats it. */
export interface ShownFailure {
  found: Found;
  command: string;
  /** The commands for other faults that make the recipe fail in the same way. */
  otherCommands: readonly string[];
}

/** Prints a failure: its seed, its faults, what the recipe says, and the command. */
export function printFailure(
  { found, command, otherCommands }: ShownFailure,
  number: number,
  out: Output,
): void {
  const style = makeStyle(out.color);
  const { result, seeds, isRepeatable } = found;
  const { seed, finished } = result;
  const more = seeds > 1 ? `; ${seeds} seeds fail like this` : "";
  write(out, [
    "",
    `${style.error(`${number}. ${terminalText(finished.name)}`)} fails with seed ${seed}${more}`,
    "",
    ...faultLines(result),
    "",
    ...verdictLines(result, out).map((line) => `  ${line}`),
    "",
    ...(isRepeatable ? [] : [
      style.warning("  It did not fail again when it was repeated: something in it is random,"),
      style.warning("  or does not follow the clock."),
      "",
    ]),
    `  ${style.strong("Repeat it:")} ${terminalText(command)}`,
    ...otherCommands.map((other) => `  ${style.dim("or with:  ")} ${terminalText(other)}`),
  ]);
}

/** Prints the run of one seed: everything that happened, and how the recipe ended. */
export function printRun(result: SeedResult, out: Output): void {
  const style = makeStyle(out.color);
  const { timeline, finished, seed } = result;
  const mark = finished.status === "passed" ? style.good("✓") : style.error("✗");
  const rows = timeline.map(({ at, text, fault }) => {
    const row = `  ${formatDuration(at).padStart(9)}  ${terminalText(text)}`;
    return fault === undefined ? row : style.warning(row);
  });
  write(out, [
    `What happened with seed ${seed}, in virtual time:`,
    "",
    ...rows,
    "",
    ...(finished.status === "passed" ? [] : [...verdictLines(result, out), ""]),
    `${mark} ${terminalText(finished.name)}: ${finished.status}`,
  ]);
}

/** The faults of a run, one a line, with the times and keys. */
export function faultLines({ faults }: SeedResult): string[] {
  if (faults.injected.length === 0) return ["  It fails without any fault."];
  return faults.injected.map(({ at, text }) =>
    `  ${formatDuration(at).padStart(9)}  ${terminalText(text)}`
  );
}

function verdictLines({ finished }: SeedResult, out: Output): string[] {
  const { failure } = finished;
  return failure ? failureLines(failure, makeStyle(out.color)) : [UNCHECKED];
}

function write(out: Output, lines: readonly string[]): void {
  out.write(`${lines.join("\n")}\n`, "styled");
}
