import type { PlannedCase } from "../../engine/run.ts";
import type { ParsedArgs } from "../args.ts";

/** The options that a repeated run needs, because they change what happens. */
const KEPT = ["dev", "var", "vars", "copies", "delay", "timeout"];

/** What `--only` takes for a run without faults. */
export const NO_FAULTS = "none";

/** Returns the command line that repeats the run of a seed with some faults. */
export function repeatCommand(
  program: string,
  args: ParsedArgs,
  planned: PlannedCase,
  index: number | undefined,
  seed: number,
  only: readonly string[],
): string {
  const kept = KEPT.flatMap((name) =>
    (args.lists[name] ?? [args.values[name]]).flatMap((value) =>
      value === undefined ? [] : [`--${name}`, value]
    )
  );
  const words = [
    "explore",
    planned.recipe.source.name,
    ...kept,
    ...(index === undefined ? [] : ["--case", String(index + 1)]),
    "--seed",
    String(seed),
    ...(only.length === 0 ? [NO_FAULTS] : only).flatMap((key) => ["--only", key]),
  ];
  return [program, ...words.map(quote)].join(" ");
}

/** Quotes an argument for a shell, if it needs that. */
function quote(argument: string): string {
  return /^[\w./:=@%+,#-]+$/.test(argument) && !argument.startsWith("#")
    ? argument
    : `'${argument.replaceAll("'", `'\\''`)}'`;
}
