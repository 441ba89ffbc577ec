import { abortable } from "../../../runtime/abortable.ts";
import { readDataFile } from "../../../runtime/file.ts";
import { plainStyle, renderPlace } from "../../language/render_diagnostic.ts";
import { Source } from "../../language/source.ts";
import { MAX_BYTES } from "../../language/yaml.ts";
import { UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { findJsonFault } from "./json_fault.ts";

/** What an argument for JSON may be, in a usage line. */
export const JSON_ARGUMENT = "[JSON | @FILE | -]";

/**
 * Reads an argument that is JSON, or the `@file` that has it, or `-` for standard input.
 * @throws {UsageError} If it is not JSON, with the place.
 */
export async function jsonArgument(
  argument: string | undefined,
  what: string,
  { readInput, signal }: CommandContext,
): Promise<unknown> {
  if (argument === undefined) return undefined;
  if (argument === "-") {
    if (!readInput) throw new UsageError(`Cannot read ${what} from standard input here`);
    const reading = readInput(MAX_BYTES).catch((error: Error) => {
      throw new UsageError(`Cannot read ${what}: ${error.message}`);
    });
    return parseJson(new Source("standard input", await abortable(reading, signal)));
  }
  if (!argument.startsWith("@")) return parseJson(new Source(what, argument));
  const path = argument.slice(1);
  return parseJson(new Source(path, await readDataFile(path, what, MAX_BYTES)));
}

/**
 * Parses JSON.
 * @param firstLine The number of its first line in the file that it is from.
 * @throws {UsageError} If it is not JSON, or has a number that would lose digits, with the place.
 */
export function parseJson(source: Source, firstLine = 1): unknown {
  const { text } = source;
  const fault = findJsonFault(text);
  if (fault === undefined) return JSON.parse(text);
  const { line, column } = source.position(fault.start);
  const place = {
    file: source.name,
    line: line + firstLine - 1,
    column,
    text: source.line(line),
    length: fault.end - fault.start,
    ...(fault.label === undefined ? {} : { label: fault.label }),
  };
  const lines = renderPlace(place, (mark) => mark, plainStyle);
  throw new UsageError([`Cannot read JSON: ${fault.message}`, ...lines].join("\n"));
}
