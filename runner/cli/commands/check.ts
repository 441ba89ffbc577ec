import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { loadRecipes } from "../load_recipes.ts";
import { FORMAT_OPTION, formatOption } from "../options.ts";
import { printDiagnostics } from "../print_diagnostics.ts";

/** `check`: checks recipes without running them. */
export const check: Command = {
  usage: "check [file | directory]…",
  description: "Check recipes without running them, and print all errors.",
  options: { format: FORMAT_OPTION },
  async run(args, context) {
    const { out, err, env } = context;
    const { positional } = args;
    if (positional.length === 0) {
      throw new UsageError("Nothing to check: name a recipe or directory");
    }
    const format = formatOption(args, env);
    const { recipes, diagnostics, files } = await loadRecipes(positional, context);
    printDiagnostics(diagnostics, format, { out, err });
    if (diagnostics.some(({ severity }) => severity === "error")) return 2;
    if (files.length === 0) throw new UsageError(`No recipes in ${positional.join(", ")}`);
    if (format !== "json") {
      out.write(`${recipes.length} ${recipes.length === 1 ? "recipe is" : "recipes are"} valid\n`);
    }
    return 0;
  },
};
