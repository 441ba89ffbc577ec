import { formatDuration } from "../language/duration.ts";
import { printable } from "../language/render_diagnostic.ts";
import { safeJson } from "../report/safe_text.ts";
import type { ParsedArgs } from "./args.ts";
import type { CommandContext } from "./command.ts";

/** The width of the longest value in a list, in columns. */
const MAX_VALUE = 400;

/**
 * Prints the result of a call: for people, or with `--json` as one line for each item of a list.
 * @param line Formats an item of a list for people.
 */
export function printResult(
  result: unknown,
  { flags }: ParsedArgs,
  { out, err, mask }: Pick<CommandContext, "out" | "err" | "mask">,
  line: (item: unknown) => string = itemLine,
): void {
  const shown = mask.value(result);
  const isList = Array.isArray(shown);
  const items = isList ? shown : [shown];
  for (const item of items) {
    if (flags.has("json")) out.write(`${safeJson(item)}\n`);
    else if (isList) out.write(`${line(item)}\n`);
    else out.write(recordRows(item).map((row) => `${row}\n`).join(""));
  }
  if (items.length === 0 && !flags.has("json")) err.write("Nothing to list\n");
}

/** Formats a result for people: a row for each field. */
export function recordRows(value: unknown): string[] {
  const fields = flatten("", value);
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  return fields.map(([name, text]) => `${name.padEnd(width)}  ${text}`.trimEnd());
}

/** Formats an item of a list for people: what identifies it, in one line. */
export function itemLine(item: unknown): string {
  if (typeof item !== "object" || item === null) return printable(String(item));
  const fields = item as Record<string, unknown>;
  const shown = [
    fields.id,
    fields.name ?? fields.job_name,
    fields.state ?? fields.schedule ?? fields.queue,
    fields.enabled === false ? "disabled" : undefined,
    fields.error ?? fields.last_error,
  ];
  return shown.filter((part) => part !== undefined && part !== "").map(valueText).join("  ");
}

function flatten(prefix: string, value: unknown): [string, string][] {
  return Object.entries(Object(value) as object).flatMap(([key, item]): [string, string][] => {
    const name = printable(prefix + key);
    // Counts by state; a payload stays in one line.
    if (/^(?:jobs|workflows|broker)$/.test(key)) return flatten(`${key} `, item);
    if (key === "timeout" && typeof item === "number") return [[name, nanoseconds(item)]];
    return [[name, valueText(item)]];
  });
}

function nanoseconds(value: number): string {
  return formatDuration(value / 1e6);
}

/** Formats a value in one line, and cuts it if it is long. */
export function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  const line = printable(text);
  return line.length > MAX_VALUE ? `${line.slice(0, MAX_VALUE)}…` : line;
}
