import { custom, readFields, required } from "../language/field.ts";
import type { Quarantine } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import { parseEnd } from "../language/time.ts";
import { fixedText } from "../language/value_fields.ts";

const UNTIL = "such as `2026-12-01`, the last day, or `2026-12-01T12:00:00Z`";

/** The keys of `quarantine`. */
export const QUARANTINE_FIELDS = {
  until: required(
    custom<{ text: string; ends: number }>(
      "The last day of the quarantine, in UTC, or the moment at which it ends, in RFC 3339.",
      { type: "string", pattern: "^\\d{4}-\\d\\d-\\d\\d" },
      (node, context, what) => {
        const text = fixedText("").read(node, context, what);
        if (text === undefined) return undefined;
        const ends = parseEnd(text);
        if (ends !== undefined) return { text, ends };
        const message = `\`until\` must be a day or a time, not \`${text}\``;
        return void context.diagnostics.error("wrong-value", node, message, { label: UNTIL });
      },
    ),
  ),
  reason: required(fixedText("Why the recipe may fail, such as the issue that is open about it.")),
};

/** Reads `quarantine`. */
export function readQuarantine(node: Node, context: ParseContext): Quarantine | undefined {
  if (node.kind !== "map") {
    return void context.wrongType(node, "`quarantine`", "a map with `until` and `reason`");
  }
  const { until, reason } = readFields(node, QUARANTINE_FIELDS, context, "`quarantine`");
  if (until === undefined || reason === undefined) return undefined;
  return { until: until.text, ends: until.ends, reason };
}
