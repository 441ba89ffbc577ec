import type { PlannedCase } from "../engine/run.ts";
import { parseDuration } from "../language/duration.ts";
import type { OptionSpecs, ParsedArgs } from "./args.ts";
import { FORMAT_OPTION } from "./diagnostic_format.ts";
import { REPORTER_OPTION } from "./reporter_option.ts";
import { SELECT_OPTIONS, STEP_SELECT_OPTIONS } from "./select.ts";
import { UsageError } from "./usage_error.ts";

/** The options of `run`. */
export const RUN_OPTIONS: OptionSpecs = {
  url: { value: "URL", description: "The server; DISPATCH_URL, or an embedded one." },
  token: { value: "TOKEN", description: "Its token; DISPATCH_TOKEN, or demo-token." },
  var: { value: "NAME=VALUE", repeat: true, description: "Gives a variable another value." },
  vars: {
    value: "FILE",
    repeat: true,
    description: "Gives variables the values in a YAML or JSON file; of several the last one wins.",
  },
  ...SELECT_OPTIONS,
  ...STEP_SELECT_OPTIONS,
  timeout: { value: "DURATION", description: "How long each recipe's steps may take at most." },
  parallel: { value: "N", description: "How many cases run at a time; 1 by default." },
  bail: { description: "Begins no further case when one did not pass." },
  shard: { value: "I/N", description: "Runs only the Ith of N parts of the cases." },
  repeat: { value: "N", description: "Runs everything N times." },
  seed: { value: "N", description: "Makes uuid() and random() give what they gave before." },
  watch: { description: "Runs again whenever a recipe changes." },
  "dry-run": { description: "Shows what would be done, and sends nothing." },
  reporter: REPORTER_OPTION,
  history: {
    value: "FILE",
    description: "Keeps verdicts and times there, and compares with them; DISPATCH_HISTORY.",
  },
  format: FORMAT_OPTION,
  verbose: { short: "v", description: "Writes every frame to standard error, without secrets." },
  quiet: { short: "q", description: "Prints only what failed, and the summary." },
  help: { short: "h", description: "Shows this." },
};

/** A whole number given to an option. */
export function numberOption(args: ParsedArgs, name: string, fallback: number): number {
  const text = args.values[name];
  if (text === undefined) return fallback;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= 1 && /^\d+$/.test(text)) return number;
  throw new UsageError(`--${name} takes a whole number of at least 1, not '${text}'`);
}

/** A duration given to an option. */
export function durationOption(args: ParsedArgs, name: string): number | undefined {
  const text = args.values[name];
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`--${name} takes a duration such as 30s or 5m, not '${text}'`);
}

/** Where a run's random numbers come from: a seed has them come again. */
export async function randomOption(args: ParsedArgs): Promise<() => number> {
  if (args.values.seed === undefined) return Math.random;
  const { seededRandom } = await import("../../runtime/random.ts");
  return seededRandom(numberOption(args, "seed", 1));
}

/** Cases with numbers of their own where there is a seed, so that how many run at a time matters not. */
export async function seeded<C extends PlannedCase>(cases: C[], args: ParsedArgs): Promise<C[]> {
  if (args.values.seed === undefined) return cases;
  const { seededRandom } = await import("../../runtime/random.ts");
  const seed = numberOption(args, "seed", 1);
  // An odd number of 32 bits: no two cases of a run have one seed.
  return cases.map((one, i) => ({ ...one, random: seededRandom(seed + i * 0x9e3779b1) }));
}
