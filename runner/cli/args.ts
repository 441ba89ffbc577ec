import { didYouMean } from "../language/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** An option of a command. */
export interface OptionSpec {
  /** What it is for, in one line of help. */
  description: string;
  /** The name of its value in help; an option without one is on or off. */
  value?: string;
  /** What its value can be, where that is one of few. */
  choices?: readonly string[];
  /** One letter. */
  short?: string;
  /** Whether it can be given several times. */
  repeat?: boolean;
}

/** The options of a command, by name. */
export type OptionSpecs = Record<string, OptionSpec>;

/** A command line that was taken apart. */
export interface ParsedArgs {
  /** What is no option, in order. */
  positional: string[];
  /** The last value of each option that takes one. */
  values: Record<string, string>;
  /** All values of options that can be repeated. */
  lists: Record<string, string[]>;
  /** The options that are on. */
  flags: Set<string>;
}

/**
 * Takes a command line apart.
 * @throws {UsageError} For an unknown option, with the one that was most likely meant.
 */
export function parseArgs(args: readonly string[], specs: OptionSpecs): ParsedArgs {
  const parsed: ParsedArgs = { positional: [], values: {}, lists: {}, flags: new Set() };
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "--") {
      parsed.positional.push(...args.slice(i + 1));
      break;
    }
    if (!arg.startsWith("-") || arg === "-") {
      parsed.positional.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const written = equals === -1 ? arg : arg.slice(0, equals);
    const name = nameOf(written, specs);
    const spec = specs[name]!;
    if (spec.value === undefined) {
      if (equals !== -1) throw new UsageError(`Option --${name} takes no value`);
      parsed.flags.add(name);
      continue;
    }
    const value = equals === -1 ? args[++i] : arg.slice(equals + 1);
    if (value === undefined) throw new UsageError(`Option --${name} needs a value: ${spec.value}`);
    parsed.values[name] = value;
    if (spec.repeat) (parsed.lists[name] ??= []).push(value);
  }
  return parsed;
}

function nameOf(written: string, specs: OptionSpecs): string {
  if (written.startsWith("--")) {
    const name = written.slice(2);
    if (Object.hasOwn(specs, name)) return name;
    const meant = didYouMean(name, Object.keys(specs));
    const hint = meant ? `; ${meant.replace("`", "`--")}` : "";
    throw new UsageError(`Unknown option ${written}${hint}`);
  }
  const found = Object.entries(specs).find(([, { short }]) => `-${short}` === written);
  if (found) return found[0];
  throw new UsageError(`Unknown option ${written}`);
}

/** The options as lines of a help text. */
export function optionLines(specs: OptionSpecs): string[] {
  const rows = Object.entries(specs).map(([name, { short, value, description }]) => {
    const left = `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`;
    return [left, description] as const;
  });
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
