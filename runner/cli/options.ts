import type { DiagnosticFormat } from "../language/diagnostic.ts";
import { parseDuration } from "../language/duration.ts";
import { type OptionSpec, type OptionSpecs, type ParsedArgs, UsageError } from "./args.ts";

/** The option for the format of diagnostics. */
export const FORMAT_OPTION: OptionSpec = {
  value: "FORMAT",
  choices: ["text", "json", "github"],
  description: "How to print errors: text, json (one per line) or github (annotations).",
};

/** The options that set variables of recipes. */
export const VARIABLE_OPTIONS: OptionSpecs = {
  var: { value: "NAME=VALUE", repeat: true, description: "Set a variable." },
  vars: {
    value: "FILE",
    repeat: true,
    description: "Set variables from a YAML or JSON file; later files win.",
  },
};

/** The option for virtual time. */
export const CLOCK_OPTION: OptionSpec = {
  value: "CLOCK",
  choices: ["real", "virtual"],
  description: "With virtual, waiting takes no time: the embedded server skips it.",
};

/** The options of calls that can run on an embedded server. */
export const DEV_OPTIONS: OptionSpecs = {
  dev: {
    value: "FILE",
    description: "Run it with the jobs and workflows of this file, and wait for its end.",
  },
  clock: CLOCK_OPTION,
};

/**
 * Reads `--clock`; returns whether it is virtual.
 * @throws {UsageError}
 */
export function virtualOption(clock: string | undefined): boolean {
  if (clock === undefined || clock === "real") return false;
  if (clock === "virtual") return true;
  throw new UsageError(`--clock must be real or virtual, not '${clock}'`);
}

/**
 * Reads `--format`. The default is `github` in GitHub Actions, and `text` elsewhere.
 * @throws {UsageError}
 */
export function formatOption(
  { values: { format } }: ParsedArgs,
  env: (name: string) => string | undefined,
): DiagnosticFormat {
  if (format === undefined) return env("GITHUB_ACTIONS") === "true" ? "github" : "text";
  if (format === "text" || format === "json" || format === "github") return format;
  throw new UsageError(`--format must be text, json or github, not '${format}'`);
}

/**
 * Reads an option whose value is a whole number of at least `least`.
 * @throws {UsageError}
 */
export function numberOption(args: ParsedArgs, name: string, fallback: number, least = 1): number {
  const text = args.values[name];
  if (text === undefined) return fallback;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number >= least && /^\d+$/.test(text)) return number;
  throw new UsageError(`--${name} must be a whole number of at least ${least}, not '${text}'`);
}

/**
 * Reads an option whose value is a duration, as milliseconds.
 * @throws {UsageError}
 */
export function durationOption(args: ParsedArgs, name: string): number | undefined {
  const text = args.values[name];
  if (text === undefined) return undefined;
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UsageError(`--${name} must be a duration such as 30s or 5m, not '${text}'`);
}
