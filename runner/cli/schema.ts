import type { Command } from "./command.ts";

/** Prints the JSON Schema of recipes. */
export const schema: Command = {
  usage: "schema",
  description: "Prints the JSON Schema of YAML recipes, for editors.",
  options: { help: { short: "h", description: "Shows this." } },
  async run(_args, { out }) {
    const { recipeSchema } = await import("../recipe/json_schema.ts");
    out.write(`${JSON.stringify(recipeSchema(), undefined, 2)}\n`);
    return 0;
  },
};
