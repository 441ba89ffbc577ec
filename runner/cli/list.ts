import { planCases } from "../engine/run.ts";
import type { Command } from "./command.ts";
import { loadRecipes } from "./load.ts";
import { diagnosticFormat, FORMAT_OPTION } from "./diagnostic_format.ts";
import { printDiagnostics } from "./print_diagnostics.ts";
import { SELECT_OPTIONS, selectRecipes } from "./select.ts";

/** Lists recipes. */
export const list: Command = {
  usage: "list [file | directory]…",
  description: "Lists recipes with their tags; the current directory's without a path.",
  options: {
    ...SELECT_OPTIONS,
    format: FORMAT_OPTION,
    help: { short: "h", description: "Shows this." },
  },
  async run(args, { out, err, env }) {
    const format = diagnosticFormat(args.values.format, env);
    const paths = args.positional.length > 0 ? args.positional : ["."];
    const { recipes, diagnostics } = await loadRecipes(paths);
    const selected = selectRecipes(recipes, args);
    if (format === "json") {
      for (const recipe of selected) {
        const { name, description, tags, source } = recipe;
        const cases = planCases([recipe]).length;
        out.write(`${JSON.stringify({ file: source.name, name, description, tags, cases })}\n`);
      }
    } else {
      printDiagnostics(diagnostics, format, { out, err });
      const width = Math.max(0, ...selected.map(({ source }) => source.name.length));
      for (const { source, name, tags, matrix } of selected) {
        const cases = matrix.length > 0 ? ` (${matrix.length} cases)` : "";
        const labels = tags.length > 0 ? `  [${tags.join(", ")}]` : "";
        out.write(`${source.name.padEnd(width)}  ${name}${cases}${labels}\n`);
      }
    }
    if (diagnostics.some(({ severity }) => severity === "error")) return 2;
    return selected.length === 0 ? 4 : 0;
  },
};
