import type { OptionSpecs } from "./args.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** What can be completed: the options of each command. */
export type Completions = Readonly<Record<string, OptionSpecs>>;

const SHELLS: Record<string, (completions: Completions) => string> = { bash, zsh, fish };

/** Prints a completion script; `load` gives all commands. */
export function completionCommand(load: () => Promise<Completions>): Command {
  return {
    usage: "completion SHELL",
    description: "Prints a completion script for bash, zsh or fish.",
    details: "\nFor example: source <(runner.ts completion bash)\n",
    options: { help: { short: "h", description: "Shows this." } },
    async run({ positional }, { out }) {
      const [shell] = positional;
      if (positional.length !== 1 || !Object.hasOwn(SHELLS, shell!)) {
        throw new UsageError(`completion takes one of ${Object.keys(SHELLS).join(", ")}`);
      }
      out.write(SHELLS[shell!]!(await load()));
      return 0;
    },
  };
}

function bash(commands: Completions): string {
  const { run } = commands;
  const cases = Object.entries(commands).flatMap(([name, specs]) => [
    ...choiceCases(name, specs),
    `    ${name}\\ *) words="${optionsOf(specs)}" ;;`,
  ]);
  // Without a command `run` is meant. Bash takes `--reporter=json` for three words.
  return `_dispatch_runner() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  [ "$before" = = ] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  [ "$current" = = ] && current=
  case "\${COMP_WORDS[1]} $before" in
${[...cases, ...choiceCases("*", run!)].join("\n")}
    *) words="${Object.keys(commands).join(" ")} ${optionsOf(run!)}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _dispatch_runner runner.ts dispatch-runner
`;
}

function optionsOf(specs: OptionSpecs): string {
  return Object.keys(specs).map((name) => `--${name}`).join(" ");
}

/** What can stand behind an option of a command. */
function choiceCases(command: string, specs: OptionSpecs): string[] {
  return Object.entries(specs).flatMap(([name, { choices }]) =>
    choices ? [`    ${command}\\ --${name}) words="${choices.join(" ")}" ;;`] : []
  );
}

function zsh(completions: Completions): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(completions)}`;
}

function fish(commands: Completions): string {
  const lines = Object.keys(commands)
    .map((name) => `complete -c runner.ts -n __fish_use_subcommand -a ${name}`);
  for (const [name, specs] of Object.entries(commands)) {
    const when = name === "run" ? "" : ` -n "__fish_seen_subcommand_from ${name}"`;
    for (const [option, { value, choices }] of Object.entries(specs)) {
      const values = choices ? ` -a "${choices.join(" ")}"` : "";
      lines.push(`complete -c runner.ts${when} -l ${option}${value ? " -r" : ""}${values}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
