import { safeText } from "../plain_text.ts";
import { safeJson } from "../safe_text.ts";

/** How many items of a list are written. */
const MAX_ITEMS = 500;

/**
 * Formats a diagnostic block of TAP: indented YAML between `---` and `...`. Strings are quoted as
 * JSON, which is valid YAML, so that no string can end the block.
 */
export function yamlBlock(fields: Readonly<Record<string, unknown>>): string[] {
  return ["  ---\n", ...mapLines(fields, "  "), "  ...\n"];
}

function* mapLines(
  fields: Readonly<Record<string, unknown>>,
  indent: string,
): Generator<string> {
  for (const [key, value] of Object.entries(fields)) {
    if (Array.isArray(value)) {
      yield `${indent}${key}:\n`;
      for (const item of value.slice(0, MAX_ITEMS)) yield `${indent}  - ${scalar(item)}\n`;
      const dropped = value.length - MAX_ITEMS;
      if (dropped > 0) yield `${indent}  - "… ${dropped} more"\n`;
    } else if (typeof value === "object" && value !== null) {
      yield `${indent}${key}:\n`;
      yield* mapLines(value as Record<string, unknown>, `${indent}  `);
    } else yield `${indent}${key}: ${scalar(value)}\n`;
  }
}

function scalar(value: unknown): string {
  return safeJson(typeof value === "string" ? safeText(value) : value);
}
