import type { Command } from "./command.ts";
import { loadRecipes } from "./load.ts";
import { diagnosticFormat, FORMAT_OPTION } from "./diagnostic_format.ts";
import { printDiagnostics } from "./print_diagnostics.ts";
import { UsageError } from "./usage_error.ts";

/** Checks recipes without running them. */
export const check: Command = {
  usage: "check [file | directory]…",
  description: "Checks recipes without running them; shows all that is wrong.",
  options: {
    format: FORMAT_OPTION,
    help: { short: "h", description: "Shows this." },
  },
  async run({ positional, values }, { out, err, env }) {
    if (positional.length === 0) throw new UsageError("Nothing to check: name a file or directory");
    const format = diagnosticFormat(values.format, env);
    const { recipes, diagnostics, files } = await loadRecipes(positional);
    printDiagnostics(diagnostics, format, { out, err });
    if (diagnostics.some(({ severity }) => severity === "error")) return 2;
    if (files.length === 0) throw new UsageError(`No recipes in ${positional.join(", ")}`);
    if (format !== "json") {
      out.write(`${recipes.length} ${recipes.length === 1 ? "recipe is" : "recipes are"} right\n`);
    }
    return 0;
  },
};
