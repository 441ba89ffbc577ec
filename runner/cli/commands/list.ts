import { planCases } from "../../engine/run.ts";
import { printable } from "../../language/render_diagnostic.ts";
import { safeJson } from "../../report/safe_text.ts";
import { type Command, INVALID } from "../command.ts";
import { leaveOutUsed, printLeftOut } from "../left_out.ts";
import { loadRecipes } from "../load_recipes.ts";
import { FORMAT_OPTION, formatOption } from "../options.ts";
import { printDiagnostics } from "../print_diagnostics.ts";
import { filterRecipes, RECIPE_FILTER_OPTIONS } from "../recipe_filter.ts";
import { RUN_OPTIONS } from "../run_options.ts";
import { loadDev, unknownNames } from "../server.ts";

/** `list`: lists recipes with their tags. */
export const list: Command = {
  usage: "list [file | directory]…",
  description: "List recipes with their tags; without a path, those in the current directory.",
  examples: (program) => [`${program} list recipes/ --tag smoke`],
  options: { ...RECIPE_FILTER_OPTIONS, dev: RUN_OPTIONS.dev!, format: FORMAT_OPTION },
  async run(args, context) {
    const { out, err, env } = context;
    const format = formatOption(args, env);
    const paths = args.positional.length > 0 ? args.positional : ["."];
    const { dev } = args.values;
    const [loaded, workload] = await Promise.all([
      loadRecipes(paths, context),
      loadDev(dev, context),
    ]);
    const diagnostics = [
      ...loaded.diagnostics,
      ...(workload ? await unknownNames(loaded.recipes, dev, workload) : []),
    ];
    const { recipes, leftOut } = leaveOutUsed(loaded);
    const listed = await filterRecipes(recipes, args);
    printLeftOut(await filterRecipes(leftOut, args), err);
    if (format === "json") {
      for (const recipe of listed) {
        const { name, description, tags, source, quarantine } = recipe;
        const cases = planCases([recipe]).length;
        const until = quarantine ? { quarantined_until: quarantine.until } : {};
        const row = { file: source.name, name, description, tags, cases, ...until };
        out.write(`${safeJson(row)}\n`);
      }
    } else {
      await printDiagnostics(diagnostics, format, context);
      const width = Math.max(0, ...listed.map(({ source }) => source.name.length));
      for (const recipe of listed) {
        const { source, name, tags, quarantine } = recipe;
        const count = planCases([recipe]).length;
        const cases = recipe.rows || recipe.matrix.length > 0
          ? ` (${count} ${count === 1 ? "case" : "cases"})`
          : "";
        const labels = tags.length > 0 ? `  [${tags.join(", ")}]` : "";
        const until = quarantine ? `  quarantined until ${quarantine.until}` : "";
        const row = `${source.name.padEnd(width)}  ${name}${cases}${labels}${until}`;
        out.write(`${printable(row)}\n`);
      }
    }
    if (diagnostics.some(({ severity }) => severity === "error")) return INVALID;
    return listed.length === 0 ? 4 : 0;
  },
};
