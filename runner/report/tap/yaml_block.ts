import { shown } from "../plain_text.ts";

/** How many items of one list are written. */
const MOST = 500;

/**
 * A diagnostic block of TAP, as lines: indented YAML between `---` and `...`. Texts are quoted as
 * JSON quotes them, which YAML reads too, so that none can end the block.
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
      for (const item of value.slice(0, MOST)) yield `${indent}  - ${scalar(item)}\n`;
      if (value.length > MOST) yield `${indent}  - "… ${value.length - MOST} more were cut"\n`;
    } else if (typeof value === "object" && value !== null) {
      yield `${indent}${key}:\n`;
      yield* mapLines(value as Record<string, unknown>, `${indent}  `);
    } else yield `${indent}${key}: ${scalar(value)}\n`;
  }
}

function scalar(value: unknown): string {
  return JSON.stringify(typeof value === "string" ? shown(value) : value);
}
