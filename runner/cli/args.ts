import { parseArgs as tokenize } from "node:util";
import { didYouMean } from "../../runtime/suggest.ts";

/** An error in the command line, such as an unknown option. The process exits with 2. */
export class UsageError extends Error {
  /** Always `"usage"`. */
  readonly code = "usage";

  /** Takes the message that is printed. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** An error in the file of jobs and workflows that the command line names. */
export class DevFileError extends UsageError {}

/** An option of a command. */
export interface OptionSpec {
  /** One line of help. */
  description: string;
  /** The placeholder for its value in help, such as `FILE`; an option without one is a flag. */
  value?: string;
  /** The allowed values, if there are only a few. */
  choices?: readonly string[];
  /** A one-letter alias. */
  short?: string;
  /** Whether it can be used several times. */
  repeat?: boolean;
  /** Whether help and completions leave it out: it exists only to be refused with a reason. */
  isHidden?: boolean;
}

/** The options of a command, by name. */
export type OptionSpecs = Record<string, OptionSpec>;

/** A parsed command line. */
export interface ParsedArgs {
  /** The arguments that are not options, in order. */
  positional: string[];
  /** The last value of each option that takes one. */
  values: Record<string, string>;
  /** All values of each option that can be repeated. */
  lists: Record<string, string[]>;
  /** The flags that are set. */
  flags: Set<string>;
}

/**
 * Parses the arguments of a command.
 * @throws {UsageError} For an unknown option, with a suggestion, and for a missing or extra value.
 */
export function parseArgs(args: readonly string[], specs: OptionSpecs): ParsedArgs {
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? "boolean" : "string", ...(short ? { short } : {}) } as const,
    ]),
  );
  // `strict` is off because its messages differ between Deno, Bun and Node, and suggest nothing.
  const { tokens } = tokenize({
    args: [...args],
    options,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const parsed: ParsedArgs = { positional: [], values: {}, lists: {}, flags: new Set() };
  for (const token of tokens) {
    if (token.kind === "positional") parsed.positional.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName, value } = token;
    if (!Object.hasOwn(specs, name)) throw unknownOption(rawName, specs);
    const spec = specs[name]!;
    if (spec.value === undefined) {
      if (value !== undefined) throw new UsageError(`Option --${name} takes no value`);
      parsed.flags.add(name);
    } else {
      if (value === undefined) {
        throw new UsageError(`Option --${name} needs a value: ${spec.value}`);
      }
      parsed.values[name] = value;
      if (spec.repeat) (parsed.lists[name] ??= []).push(value);
    }
  }
  return parsed;
}

function unknownOption(rawName: string, specs: OptionSpecs): UsageError {
  const suggestion = rawName.startsWith("--")
    ? didYouMean(rawName.slice(2), Object.keys(specs))?.replace("`", "`--")
    : undefined;
  return new UsageError(`Unknown option ${rawName}${suggestion ? `; ${suggestion}` : ""}`);
}

/** The options that help and completions show. */
export function shownOptions(specs: OptionSpecs): [string, OptionSpec][] {
  return Object.entries(specs).filter(([, { isHidden }]) => !isHidden);
}

/** Formats options as the lines of a help text. */
export function optionLines(specs: OptionSpecs): string[] {
  return helpRows(
    shownOptions(specs).map(([name, { short, value, description }]) => [
      `${short ? `-${short}, ` : "    "}--${name}${value ? ` ${value}` : ""}`,
      description,
    ]),
  );
}

/** The width of a help text, in columns. */
const HELP_WIDTH = 80;

/** Formats rows of two columns, and wraps the second one between words. */
export function helpRows(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) =>
    wrapWords(right, HELP_WIDTH - width - 4)
      .map((line, i) => `  ${(i === 0 ? left : "").padEnd(width)}  ${line}`)
  );
}

/** Breaks a text between words into lines of at most `width` columns, if its words allow that. */
export function wrapWords(text: string, width: number = HELP_WIDTH): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + word.length + 1 > width) {
      lines.push(line);
      line = "";
    }
    line += (line === "" ? "" : " ") + word;
  }
  return [...lines, line];
}
