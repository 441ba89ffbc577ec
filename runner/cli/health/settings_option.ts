import type { Diagnostic } from "../../language/diagnostic.ts";
import type { Recipe } from "../../language/model.ts";
import type { ParsedArgs } from "../args.ts";
import { type CommandContext, INVALID } from "../command.ts";
import { formatOption } from "../options.ts";
import { printDiagnostics } from "../print_diagnostics.ts";
import type { HealthSettings, ReadSettings } from "./settings.ts";

/** Reads the file of `--health`, if there is one. */
export async function readSettingsOption(
  args: ParsedArgs,
  { env, mask }: CommandContext,
): Promise<ReadSettings> {
  const path = args.values.health;
  if (path === undefined) return { diagnostics: [] };
  // Loaded here, because most commands have no such file.
  const { readSettings } = await import("./settings.ts");
  const read = await readSettings(path);
  for (const { name } of read.settings?.secrets ?? []) mask.add(env(name) ?? "");
  return read;
}

/**
 * Reads the file of `--health`, if there is one. Prints what is wrong with it and returns the exit code,
 * if so.
 */
export async function settingsOption(
  args: ParsedArgs,
  context: CommandContext,
): Promise<HealthSettings | undefined | number> {
  const { settings, diagnostics } = await readSettingsOption(args, context);
  await printDiagnostics(diagnostics, formatOption(args, context.env), context);
  return hasErrors(diagnostics) ? INVALID : settings;
}

/** Whether there is an error among warnings. */
export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
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
