import { helpRows, optionLines, wrapWords } from "./args.ts";
import type { Command } from "./command.ts";
import { COMMANDS, optionsOf } from "./commands.ts";

/**
 * The help text of a command, or of the whole CLI without a name.
 *
 * @param program How the program was called, for the usage and the examples.
 */
export async function helpText(name: string | undefined, program: string): Promise<string> {
  if (name !== undefined) return commandHelp(await COMMANDS[name]!(), program);
  const rows = await Promise.all(
    Object.values(COMMANDS).map(async (load) => {
      const { usage, description } = await load();
      return [usage, description] as const;
    }),
  );
  const run = await COMMANDS.run!();
  return `Run Dispatch recipes: orchestration scripts, smoke tests and scheduled checks.

Usage: ${program} [command] [options]

Commands (default: run):
${helpRows(rows).join("\n")}

${
    exampleLines([
      `${program} init                      # writes a first recipe`,
      `${program} recipes/                  # runs all recipes of a directory`,
      `${program} recipes/order.yaml --url wss://example.com/dwp --token "$TOKEN"`,
      `${program} check recipes/            # only looks for mistakes`,
      `${program} recipes/ --reporter console --reporter junit=junit.xml`,
    ])
  }

Help on a command: ${program} help COMMAND
Version: ${program} --version

Options of run:
${optionLines(optionsOf(run)).join("\n")}
${run.details ?? ""}`;
}

function commandHelp(command: Command, program: string): string {
  return `${wrapWords(command.description).join("\n")}

Usage: ${program} ${command.usage}

${exampleLines(command.examples(program))}

Options:
${optionLines(optionsOf(command)).join("\n")}
${command.details ?? ""}`;
}

function exampleLines(examples: readonly string[]): string {
  const lines = examples.flatMap((example) => example.split("\n"));
  return [examples.length === 1 ? "Example:" : "Examples:", ...lines.map((line) => `  ${line}`)]
    .join("\n");
}
