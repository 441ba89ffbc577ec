import { type Diagnostic, Diagnostics } from "../language/diagnostic.ts";
import type { Node } from "../language/node.ts";
import { ParseContext } from "../language/parse_context.ts";
import type { Source, Span } from "../language/source.ts";
import { readSchedule, type ScheduleNodes, type ScheduleParts } from "../recipe/read_schedule.ts";

/** The options of a recipe in TypeScript that say when it runs on its own, as YAML writes them. */
export const SCHEDULE_OPTIONS = ["schedule", "alert", "maintenance", "heartbeat"] as const;

/** What was read, with what is wrong with it. */
export interface ReadScheduleOptions {
  /** The parts of the recipe. */
  parts: ScheduleParts;
  /** The errors. */
  diagnostics: Diagnostic[];
}

/**
 * Reads the options with the readers of YAML recipes, so that both say the same about mistakes.
 *
 * @param span The place of the call of `recipe`, since values have none.
 */
export async function readScheduleOptions(
  options: Record<string, unknown>,
  source: Source,
  span: Span,
): Promise<ReadScheduleOptions> {
  const diagnostics = new Diagnostics(source);
  const nodes: ScheduleNodes = {};
  for (const key of SCHEDULE_OPTIONS) {
    if (options[key] !== undefined) nodes[key] = toNode(options[key], span);
  }
  const parts = await readSchedule(nodes, new ParseContext(diagnostics));
  return { parts, diagnostics: [...diagnostics.all()] };
}

/** Makes a node of a value. What YAML cannot write becomes its text, which no reader accepts. */
function toNode(value: unknown, span: Span): Node {
  if (Array.isArray(value)) {
    return { kind: "list", items: value.map((item) => toNode(item, span)), ...span };
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => ({ key, keySpan: span, value: toNode(one, span) }));
    return { kind: "map", entries, ...span };
  }
  const isPlain = ["string", "number", "boolean"].includes(typeof value) || value === null;
  const scalar = isPlain ? value as string | number | boolean | null : String(value);
  const style = typeof scalar === "string" ? "double" : "plain";
  return { kind: "scalar", value: scalar, style, raw: String(scalar), ...span };
}
