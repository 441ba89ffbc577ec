import { Mask } from "../../engine/mask.ts";
import { UsageError } from "../args.ts";
import { type Command, INVALID } from "../command.ts";
import { hasErrors, readSettingsOption, receiverProblems } from "../health/settings_option.ts";
import { leaveOutUsed, printLeftOut } from "../left_out.ts";
import { loadRecipes } from "../load_recipes.ts";
import { CLOCK_OPTION, FORMAT_OPTION, formatOption } from "../options.ts";
import { checkVariables, readVariables } from "../plan.ts";
import { printDiagnostics } from "../print_diagnostics.ts";
import { filterRecipes, RECIPE_FILTER_OPTIONS } from "../recipe_filter.ts";
import { RUN_OPTIONS } from "../run_options.ts";
import { loadDev, publicUrl, serverOptions, unknownNames } from "../server.ts";
import { maskSecrets } from "../variables.ts";
import { findVirtualSteps } from "../virtual_steps.ts";
import { unknownWorkflows } from "../workflow_names.ts";

const { url, token, dev, var: variable, vars } = RUN_OPTIONS;

/** `check`: checks recipes without running them. */
export const check: Command = {
  usage: "check [file | directory]…",
  description: "Check recipes without running them, and print all errors.",
  examples: (program) => [
    `${program} check recipes/`,
    `${program} check paid.yaml --dev orders.ts`,
  ],
  options: {
    format: FORMAT_OPTION,
    var: variable!,
    vars: vars!,
    ...RECIPE_FILTER_OPTIONS,
    url: {
      ...url!,
      description: "Server URL that `run` would use. It is only asked for its workflows.",
    },
    token: { ...token!, description: "Access token that `run` would use." },
    dev: { ...dev!, description: "File of jobs and workflows that `run` would use." },
    clock: { ...CLOCK_OPTION, description: "Clock that `run` would use." },
    health: { value: "FILE", description: "Settings that `schedule` would use; checked, too." },
  },
  async run(args, context) {
    const { out, err, env } = context;
    const { positional } = args;
    if (positional.length === 0) {
      throw new UsageError("Nothing to check: name a recipe or directory");
    }
    const format = formatOption(args, env);
    const { url: server, token: key, dev, isVirtual } = serverOptions(args, env);
    if (server !== undefined && !URL.canParse(server)) {
      throw new UsageError(`'${publicUrl(server)}' is not a URL`);
    }
    const { settings, diagnostics: ofSettings } = await readSettingsOption(args, context);
    const [loaded, workload] = await Promise.all([
      loadRecipes(positional, context),
      loadDev(dev, context),
    ]);
    const { diagnostics, files } = loaded;
    const found = [...ofSettings, ...diagnostics];
    if (hasErrors(found)) found.push(...await receiverProblems(loaded.recipes, settings));
    await printDiagnostics(found, format, context);
    if (hasErrors(found)) return INVALID;
    if (files.length === 0) throw new UsageError(`No recipes in ${positional.join(", ")}`);
    const mask = new Mask();
    maskSecrets(loaded.recipes, env, mask);
    // A recipe that others use is valid, although it cannot run on its own.
    const split = leaveOutUsed({ ...loaded, named: new Set() });
    const recipes = await filterRecipes(split.recipes, args);
    const leftOut = await filterRecipes(split.leftOut, args);
    try {
      const problems = [
        ...checkVariables(recipes, loaded.recipes, await readVariables(args), env),
        ...(isVirtual ? [] : findVirtualSteps(loaded.recipes)),
        ...(server === undefined
          ? await unknownNames(loaded.recipes, dev, workload)
          : await unknownWorkflows(loaded.recipes, { url: server, token: key }, context.signal)),
        ...await receiverProblems(recipes, settings),
      ];
      if (problems.length > 0) {
        await printDiagnostics(problems, format, context);
        return INVALID;
      }
    } catch (error) {
      throw error instanceof UsageError ? new UsageError(mask.text(error.message)) : error;
    }
    printLeftOut(await filterRecipes(leaveOutUsed(loaded).leftOut, args), err);
    const count = recipes.length + leftOut.length;
    if (format !== "json") {
      out.write(`${count} ${count === 1 ? "recipe is" : "recipes are"} valid\n`);
    }
    return 0;
  },
};
