import { printDiagnostics } from "./print_diagnostics.ts";
import type { Command } from "./command.ts";
import { loadRecipes } from "./load.ts";
import { UsageError } from "./usage_error.ts";

/** Checks recipes without running them. */
export const check: Command = {
  usage: "check [file | directory]…",
  description: "Checks recipes without running them; shows all that is wrong.",
  options: {},
  async run({ positional }, { out, err }) {
    if (positional.length === 0) throw new UsageError("Nothing to check: name a file or directory");
    const { recipes, diagnostics, files } = await loadRecipes(positional);
    printDiagnostics(diagnostics, err);
    if (diagnostics.some(({ severity }) => severity === "error")) return 2;
    if (files === 0) throw new UsageError(`No recipes in ${positional.join(", ")}`);
    out.write(`${recipes.length} ${recipes.length === 1 ? "recipe is" : "recipes are"} right\n`);
    return 0;
  },
};
