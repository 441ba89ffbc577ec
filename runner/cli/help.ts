import { optionLines } from "./args.ts";
import { type Command, PROGRAM } from "./command.ts";
import { COMMANDS, optionsOf } from "./commands.ts";

/** The help text of a command, or of the whole CLI without a name. */
export async function helpText(name: string | undefined): Promise<string> {
  if (name !== undefined) return commandHelp(await COMMANDS[name]!());
  const rows = await Promise.all(
    Object.values(COMMANDS).map(async (load) => {
      const { usage, description } = await load();
      return [usage, description] as const;
    }),
  );
  const width = Math.max(...rows.map(([usage]) => usage.length));
  const lines = rows.map(([usage, description]) => `  ${usage.padEnd(width)}  ${description}`);
  const run = await COMMANDS.run!();
  return `Run Dispatch recipes: orchestration scripts, smoke tests and scheduled checks.

Usage: ${PROGRAM} [command] [options]

Commands (default: run):
${lines.join("\n")}

Help on a command: ${PROGRAM} help COMMAND

Options of run:
${optionLines(optionsOf(run)).join("\n")}
${run.details ?? ""}`;
}

function commandHelp(command: Command): string {
  return `${command.description}

Usage: ${PROGRAM} ${command.usage}

Options:
${optionLines(optionsOf(command)).join("\n")}
${command.details ?? ""}`;
}
