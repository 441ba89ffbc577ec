import { type OptionSpecs, UsageError } from "../args.ts";
import { type Command, PROGRAM } from "../command.ts";

/** The options of each command, by the command's name. */
type CommandOptions = Readonly<Record<string, OptionSpecs>>;

const SHELLS: Record<string, (commands: CommandOptions) => string> = { bash, zsh, fish };

/**
 * `completion`: prints a completion script for a shell.
 *
 * @param load Loads the options of all commands.
 */
export function completionCommand(load: () => Promise<CommandOptions>): Command {
  return {
    usage: "completion SHELL",
    description: "Print a completion script for bash, zsh or fish.",
    details: `\nFor example: source <(${PROGRAM} completion bash)\n`,
    options: {},
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

function bash(commands: CommandOptions): string {
  const { run } = commands;
  const cases = Object.entries(commands).flatMap(([name, specs]) => [
    ...choiceCases(name, specs),
    `    ${name}\\ *) words="${optionNames(specs)}" ;;`,
  ]);
  // Without a command it completes the options of `run`. Bash splits `--reporter=json` into three
  // words.
  return `_${PROGRAM}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  [ "$before" = = ] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  [ "$current" = = ] && current=
  case "\${COMP_WORDS[1]} $before" in
${[...cases, ...choiceCases("*", run!)].join("\n")}
    *) words="${Object.keys(commands).join(" ")} ${optionNames(run!)}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _${PROGRAM} ${PROGRAM}
`;
}

function optionNames(specs: OptionSpecs): string {
  return Object.keys(specs).map((name) => `--${name}`).join(" ");
}

/** Shell cases that complete the values of options that have a fixed list of them. */
function choiceCases(command: string, specs: OptionSpecs): string[] {
  return Object.entries(specs).flatMap(([name, { choices }]) =>
    choices ? [`    ${command}\\ --${name}) words="${choices.join(" ")}" ;;`] : []
  );
}

function zsh(commands: CommandOptions): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: CommandOptions): string {
  const lines = Object.keys(commands)
    .map((name) => `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${name}`);
  for (const [name, specs] of Object.entries(commands)) {
    const when = name === "run" ? "" : ` -n "__fish_seen_subcommand_from ${name}"`;
    for (const [option, { value, choices }] of Object.entries(specs)) {
      const values = choices ? ` -a "${choices.join(" ")}"` : "";
      lines.push(`complete -c ${PROGRAM}${when} -l ${option}${value ? " -r" : ""}${values}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
