import type { Values } from "../../expression/expression.ts";
import type { CommandContext } from "../command.ts";
import type { ResolveOptions } from "./open_targets.ts";
import type { HealthSettings } from "./settings.ts";

/** What resolves the expressions of a schedule's settings, which can use secrets only. */
export function settingsScope(
  settings: HealthSettings | undefined,
  { env, clock, random }: Pick<CommandContext, "env" | "clock" | "random">,
): ResolveOptions {
  const secrets: Values = {};
  for (const { name } of settings?.secrets ?? []) {
    const value = env(name);
    if (value !== undefined) secrets[name] = value;
  }
  return { scope: { secrets }, ambient: { now: () => clock.now(), random } };
}
