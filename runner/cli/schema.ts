import type { JsonSchema } from "../language/field.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** What there are schemas of; each is loaded when it is asked for. */
const SCHEMAS: Record<string, () => Promise<JsonSchema>> = {
  recipe: async () => (await import("../recipe/json_schema.ts")).recipeSchema(),
  events: async () => (await import("../report/json/event_schema.ts")).eventSchema(),
  summary: async () => (await import("../report/json/summary_schema.ts")).summarySchema(),
};

/** Prints JSON Schemas. */
export const schema: Command = {
  usage: "schema",
  description: "Prints the JSON Schema of YAML recipes, for editors, or of what reporters write.",
  options: {
    of: {
      value: "WHAT",
      choices: Object.keys(SCHEMAS),
      description:
        "recipe, the default; events, the lines of jsonl; summary, the document of json.",
    },
    help: { short: "h", description: "Shows this." },
  },
  async run({ positional, values: { of = "recipe" } }, { out }) {
    if (positional.length > 0) throw new UsageError("schema takes no argument; see --of");
    if (!Object.hasOwn(SCHEMAS, of)) {
      throw new UsageError(`--of takes ${Object.keys(SCHEMAS).join(", ")}, not '${of}'`);
    }
    out.write(`${JSON.stringify(await SCHEMAS[of]!(), undefined, 2)}\n`);
    return 0;
  },
};
