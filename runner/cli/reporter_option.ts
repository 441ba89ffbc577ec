import { didYouMean } from "../../runtime/suggest.ts";
import { needsStandardOutput, type ReporterRequest, REPORTERS } from "../report/registry.ts";
import type { ReadEnv } from "../report/reporter.ts";
import { type OptionSpec, UsageError } from "./args.ts";

/** The option `--reporter`. */
export const REPORTER_OPTION: OptionSpec = {
  value: "NAME[=FILE]",
  choices: Object.keys(REPORTERS),
  repeat: true,
  description: "Write a report to standard output or a file. Can be repeated.",
};

/** The reporters as lines of help. */
export function reporterLines(): string[] {
  const width = Math.max(...Object.keys(REPORTERS).map((name) => name.length));
  return Object.entries(REPORTERS).map(([name, { description }]) =>
    `  ${name.padEnd(width)}  ${description}`
  );
}

/**
 * Reads the values of `--reporter`, and adds the reporters that the environment asks for.
 * @param options.onlyDefaults Whether to leave out those that the environment adds to others.
 * @throws {UsageError} For an unknown reporter, and for two that need standard output.
 */
export function readReporters(
  names: readonly string[],
  env: ReadEnv,
  options: { onlyDefaults?: boolean } = {},
): ReporterRequest[] {
  const requests = names.map(readReporter);
  checkStandardOutput(requests);
  const named = new Set(requests.map(({ name }) => name));
  for (const [name, { isDefault, isAddedBy }] of Object.entries(REPORTERS)) {
    if (named.has(name)) continue;
    const isAdded = !options.onlyDefaults && isAddedBy?.(env);
    if (named.size === 0 && isDefault?.(env) || isAdded) requests.push({ name });
  }
  return requests;
}

function readReporter(option: string): ReporterRequest {
  const equals = option.indexOf("=");
  const name = equals === -1 ? option : option.slice(0, equals);
  if (!Object.hasOwn(REPORTERS, name)) {
    const names = Object.keys(REPORTERS);
    const hint = didYouMean(name, names) ?? `the reporters are ${names.join(", ")}`;
    throw new UsageError(`Unknown reporter ${name}; ${hint}`);
  }
  if (equals === -1) return { name };
  if (REPORTERS[name]!.writes === "network") {
    throw new UsageError(`Reporter ${name} does not write a file`);
  }
  const file = option.slice(equals + 1);
  if (file === "") throw new UsageError(`Reporter ${name} needs a file name after \`=\``);
  return { name, file };
}

function checkStandardOutput(requests: readonly ReporterRequest[]): void {
  const [first, second] = requests.filter(needsStandardOutput);
  if (!first || !second) return;
  throw new UsageError(
    `Reporters ${first.name} and ${second.name} both write to standard output; ` +
      `give one a file: ${second.name}=FILE`,
  );
}
