import type { JsonSchema } from "../../language/field.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";

/** The schemas that can be printed. Each is loaded when it is asked for. */
const SCHEMAS: Record<string, () => Promise<JsonSchema>> = {
  recipe: async () => (await import("../../recipe/json_schema.ts")).recipeSchema(),
  events: async () => (await import("../../report/json/event_schema.ts")).eventSchema(),
  summary: async () => (await import("../../report/json/summary_schema.ts")).summarySchema(),
};

/** `schema`: prints JSON Schemas. */
export const schema: Command = {
  usage: "schema",
  description: "Print the JSON Schema of YAML recipes or of reports.",
  examples: (program) => [
    `${program} schema > recipe.schema.json`,
    `${program} schema --of events`,
  ],
  options: {
    of: {
      value: "NAME",
      choices: Object.keys(SCHEMAS),
      description:
        "What to print: recipe (the default), events (a line of the jsonl report) or summary (the json report).",
    },
  },
  async run({ positional, values: { of = "recipe" } }, { out }) {
    if (positional.length > 0) throw new UsageError("schema takes no arguments; use --of");
    if (!Object.hasOwn(SCHEMAS, of)) {
      throw new UsageError(`--of must be one of ${Object.keys(SCHEMAS).join(", ")}, not '${of}'`);
    }
    out.write(`${JSON.stringify(await SCHEMAS[of]!(), undefined, 2)}\n`);
    return 0;
  },
};
