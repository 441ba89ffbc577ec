import type { Diagnostic } from "../../language/diagnostic.ts";
import type { Recipe } from "../../language/model.ts";
import type { ParsedArgs } from "../args.ts";
import { type CommandContext, INVALID } from "../command.ts";
import { formatOption } from "../options.ts";
import { printDiagnostics } from "../print_diagnostics.ts";
import type { HealthSettings } from "./settings.ts";

/** Reads the file of `--health`. Prints what is wrong with it and returns the exit code, if so. */
export async function settingsOption(
  args: ParsedArgs,
  context: CommandContext,
): Promise<HealthSettings | undefined | number> {
  const path = args.values.health;
  if (path === undefined) return undefined;
  // Loaded here, because most commands have no such file.
  const { readSettings } = await import("./settings.ts");
  const { settings, diagnostics } = await readSettings(path);
  await printDiagnostics(diagnostics, formatOption(args, context.env), context);
  for (const { name } of settings?.secrets ?? []) context.mask.add(context.env(name) ?? "");
  return settings ?? INVALID;
}

/** Reports receivers of recipes that the settings do not know. Without settings nothing is known. */
export async function receiverProblems(
  recipes: readonly Recipe[],
  settings: HealthSettings | undefined,
): Promise<Diagnostic[]> {
  if (!settings) return [];
  const { unknownReceivers } = await import("./settings.ts");
  return unknownReceivers(recipes, settings);
}
