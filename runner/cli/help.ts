import { optionLines } from "./args.ts";
import type { Command } from "./command.ts";

/** The help of a command, or of all. */
export async function helpText(
  name: string | undefined,
  commands: Record<string, () => Promise<Command>>,
): Promise<string> {
  if (name !== undefined) return commandHelp(await commands[name]!());
  const rows = await Promise.all(
    Object.values(commands).map(async (load) => {
      const { usage, description } = await load();
      return [usage, description] as const;
    }),
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const lines = rows.map(([usage, description]) => `  ${usage.padEnd(width)}  ${description}`);
  const run = await commands.run!();
  return `Runs recipes: orchestration scripts, smoke tests and checks for Dispatch.

Usage: runner.ts [command] [options]

Commands (run is meant where none is named):
${lines.join("\n")}

Options of run:
${optionLines(run.options).join("\n")}
${run.details ?? ""}`;
}

function commandHelp(command: Command): string {
  const options = optionLines(command.options);
  return `${command.description}

Usage: runner.ts ${command.usage}
${options.length > 0 ? `\nOptions:\n${options.join("\n")}\n` : ""}${command.details ?? ""}`;
}
