import { seededRandom } from "../../runtime/random.ts";
import type { PlannedCase } from "../engine/run.ts";
import type { OptionSpecs, ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { CLOCK_OPTION, FORMAT_OPTION, numberOption, VARIABLE_OPTIONS } from "./options.ts";
import { RECIPE_FILTER_OPTIONS } from "./recipe_filter.ts";
import { REPORTER_OPTION } from "./reporter_option.ts";
import { STEP_FILTER_OPTIONS } from "./step_filter.ts";

/** The options of `run`. */
export const RUN_OPTIONS: OptionSpecs = {
  url: { value: "URL", description: "Server URL. Default: DISPATCH_URL, or an embedded server." },
  token: { value: "TOKEN", description: "Access token. Default: DISPATCH_TOKEN, or demo-token." },
  dev: {
    value: "FILE",
    description: "Use the jobs and workflows of a TypeScript file, inside the runner.",
  },
  clock: CLOCK_OPTION,
  ...VARIABLE_OPTIONS,
  ...RECIPE_FILTER_OPTIONS,
  ...STEP_FILTER_OPTIONS,
  timeout: { value: "DURATION", description: "Limit how long the steps of a recipe may take." },
  parallel: { value: "N", description: "Run up to N cases at the same time. Default: 1." },
  retries: { value: "N", description: "Run a case that fails anew, up to N times." },
  "fail-on-flaky": { description: "Fail if a case passed only on a later attempt." },
  "last-failed": { description: "Run only cases that failed in their last run in --history." },
  bail: { description: "Start no more cases after the first one that does not pass." },
  shard: {
    value: "I/N",
    description: "Run only the Ith of N parts of the cases; auto asks the CI service.",
  },
  repeat: { value: "N", description: "Run every case N times." },
  seed: {
    value: "N",
    description: "Seed of uuid() and random(): the same N gives the same values.",
  },
  watch: { description: "Run again whenever a recipe changes." },
  "dry-run": { description: "Show what would be done, without sending anything." },
  reporter: REPORTER_OPTION,
  history: {
    value: "FILE",
    description: "Keep results in FILE and compare with earlier runs. Default: DISPATCH_HISTORY.",
  },
  format: FORMAT_OPTION,
  verbose: { short: "v", description: "Print every frame on standard error, secrets masked." },
  quiet: { short: "q", description: "Print only failures and the summary." },
};

/** The random generator of a run: with `--seed` its numbers repeat. */
export function randomOption(args: ParsedArgs, { random }: CommandContext): () => number {
  return args.values.seed === undefined ? random : seededRandom(numberOption(args, "seed", 1));
}

/**
 * With `--seed`, adds a random generator to each case, so that the values do not depend on how many
 * cases run at the same time.
 */
export function seedCases<C extends PlannedCase>(cases: C[], args: ParsedArgs): C[] {
  if (args.values.seed === undefined) return cases;
  const seed = numberOption(args, "seed", 1);
  // Multiples of an odd 32-bit number do not repeat: no two cases get the same seed.
  return cases.map((one, i) => ({ ...one, random: seededRandom(seed + i * 0x9e3779b1) }));
}
