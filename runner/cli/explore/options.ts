import { didYouMean } from "../../../runtime/suggest.ts";
import { type OptionSpecs, type ParsedArgs, UsageError } from "../args.ts";
import { durationOption, numberOption, VARIABLE_OPTIONS } from "../options.ts";
import { RECIPE_FILTER_OPTIONS } from "../recipe_filter.ts";
import { REPORTER_OPTION } from "../reporter_option.ts";
import { NO_FAULTS } from "./repeat_command.ts";

type WorkFaultName = import("../../../dev/work_fault_kinds.ts").WorkFaultName;

/** The kinds of faults, for completions; the server has what they are. */
export const FAULT_NAMES: readonly WorkFaultName[] = [
  "crash",
  "restart",
  "delay",
  "order",
  "duplicate",
  "error",
  "fail",
  "expire",
];

/** How many seeds are run without `--seeds`. */
const DEFAULT_SEEDS = 500;
/** The longest delay without `--delay`, in milliseconds, if the workload sleeps no longer. */
export const LEAST_DELAY = 10_000;
/** The longest delay without `--delay` for any workload. */
export const MOST_DELAY = 75_000;

/** The options of `explore`. */
export const EXPLORE_OPTIONS: OptionSpecs = {
  dev: {
    value: "FILE",
    description: "The jobs and workflows to explore. Default: the reference workload.",
  },
  seeds: { value: "N", description: `How many seeds to run. Default: ${DEFAULT_SEEDS}.` },
  seed: {
    value: "N",
    description: "The first seed; without --seeds and --minutes the only one. Default: 1.",
  },
  minutes: { value: "N", description: "Run as many seeds as fit in N minutes." },
  only: {
    value: "FAULT",
    repeat: true,
    description: `With --seed: let only this fault happen, or ${NO_FAULTS}.`,
  },
  faults: {
    value: "KIND,…",
    choices: FAULT_NAMES,
    description: `The kinds of faults: ${FAULT_NAMES.join(", ")}. Default: all.`,
  },
  delay: { value: "DURATION", description: "The longest single delay. Default: 10s or more." },
  copies: {
    value: "N",
    description: "Run N copies of the recipe at the same time on one server. Default: 1.",
  },
  case: { value: "N", description: "Explore only the Nth case of a recipe with a matrix." },
  bail: { description: "Stop at the first failure." },
  ...VARIABLE_OPTIONS,
  ...RECIPE_FILTER_OPTIONS,
  timeout: { value: "DURATION", description: "Limit how long the steps of a recipe may take." },
  reporter: { ...REPORTER_OPTION, description: "Write a report about the failures." },
  json: { description: "Print one line of JSON for each failure, and one for the end." },
  quiet: { short: "q", description: "Print only failures and the summary." },
  clock: { value: "CLOCK", choices: ["virtual"], isHidden: true, description: "Always virtual." },
  url: { value: "URL", isHidden: true, description: "Not possible." },
};

/** The settings of an exploration. */
export interface ExploreSettings {
  kinds: readonly WorkFaultName[];
  first: number;
  seeds: number;
  /** The most real time that it may take, in milliseconds. */
  limit: number;
  /** The faults of a single run. */
  only: ReadonlySet<string> | undefined;
  /** Whether one seed is asked for, whose run is to be shown. */
  isSingle: boolean;
  /** The longest delay; absent if it depends on the workload. */
  longestDelay: number | undefined;
  copies: number;
  timeout: number | undefined;
  /** The number of the case, from 0. */
  caseIndex: number | undefined;
  bail: boolean;
  json: boolean;
  quiet: boolean;
}

/**
 * Reads the options.
 * @throws {UsageError} If one is wrong, or does not fit to another one.
 */
export function exploreSettings(args: ParsedArgs): ExploreSettings {
  const { values, lists, flags } = args;
  if (args.positional.length === 0) {
    throw new UsageError("Nothing to explore: name a recipe or directory");
  }
  if (values.url !== undefined) {
    throw new UsageError("explore runs a server inside the runner, so --url cannot be used");
  }
  if (values.clock !== undefined && values.clock !== "virtual") {
    throw new UsageError(`explore needs virtual time, so --clock cannot be '${values.clock}'`);
  }
  const minutes = values.minutes === undefined ? undefined : numberOption(args, "minutes", 1);
  const isSingle = values.seed !== undefined && values.seeds === undefined && minutes === undefined;
  if (lists.only && !isSingle) {
    throw new UsageError("--only repeats the run of one seed, so it needs --seed alone");
  }
  const delay = durationOption(args, "delay");
  if (delay !== undefined && delay < 1) {
    throw new UsageError(`--delay must be at least 1ms, not '${values.delay}'`);
  }
  const some = minutes === undefined ? DEFAULT_SEEDS : Infinity;
  return {
    kinds: readKinds(values.faults),
    first: numberOption(args, "seed", 1, 0),
    seeds: isSingle ? 1 : values.seeds === undefined ? some : numberOption(args, "seeds", 1),
    limit: minutes === undefined ? Infinity : minutes * 60_000,
    only: lists.only && new Set(readOnly(lists.only)),
    isSingle,
    longestDelay: delay,
    copies: numberOption(args, "copies", 1),
    timeout: durationOption(args, "timeout"),
    caseIndex: values.case === undefined ? undefined : numberOption(args, "case", 1) - 1,
    bail: flags.has("bail"),
    json: flags.has("json"),
    quiet: flags.has("quiet"),
  };
}

function readKinds(text: string | undefined): readonly WorkFaultName[] {
  if (text === undefined) return FAULT_NAMES;
  const names = text.split(",").map((name) => name.trim());
  for (const name of names) checkKind(name, "--faults");
  return FAULT_NAMES.filter((name) => names.includes(name));
}

function readOnly(keys: readonly string[]): readonly string[] {
  if (keys.length === 1 && keys[0] === NO_FAULTS) return [];
  for (const key of keys) checkKind(key.split(":")[0]!, "--only");
  return keys;
}

function checkKind(name: string, option: string): void {
  if ((FAULT_NAMES as readonly string[]).includes(name)) return;
  const hint = didYouMean(name, FAULT_NAMES) ?? `the kinds are ${FAULT_NAMES.join(", ")}`;
  throw new UsageError(`${option}: there is no fault '${name}'; ${hint}`);
}
