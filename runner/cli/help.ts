import { helpRows, optionLines, wrapWords } from "./args.ts";
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
  const run = await COMMANDS.run!();
  return `Run Dispatch recipes: orchestration scripts, smoke tests and scheduled checks.

Usage: ${PROGRAM} [command] [options]

Commands (default: run):
${helpRows(rows).join("\n")}

Examples:
  ${PROGRAM} init                      # writes a first recipe
  ${PROGRAM} recipes/                  # runs all recipes of a directory
  ${PROGRAM} recipes/order.yaml --url wss://example.com/dwp --token "$TOKEN"
  ${PROGRAM} check recipes/            # only looks for mistakes
  ${PROGRAM} recipes/ --reporter console --reporter junit=junit.xml

Help on a command: ${PROGRAM} help COMMAND
Version: ${PROGRAM} --version

Options of run:
${optionLines(optionsOf(run)).join("\n")}
${run.details ?? ""}`;
}

function commandHelp(command: Command): string {
  return `${wrapWords(command.description).join("\n")}

Usage: ${PROGRAM} ${command.usage}

Options:
${optionLines(optionsOf(command)).join("\n")}
${command.details ?? ""}`;
}
