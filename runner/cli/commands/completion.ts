import { type OptionSpecs, UsageError } from "../args.ts";
import { type Command, PROGRAM } from "../command.ts";

/** What can follow each command, by the command's name. */
type CommandWords = Readonly<
  Record<string, { options: OptionSpecs; words: readonly string[] }>
>;

const SHELLS: Record<string, (commands: CommandWords) => string> = { bash, zsh, fish };

/**
 * `completion`: prints a completion script for a shell.
 *
 * @param load Loads what can follow all commands.
 */
export function completionCommand(load: () => Promise<CommandWords>): Command {
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

function bash(commands: CommandWords): string {
  const run = commands.run!.options;
  const cases = Object.entries(commands).flatMap(([name, { options, words }]) => [
    ...choiceCases(name, options),
    `    ${name}\\ *) words="${[...words, optionNames(options)].join(" ")}" ;;`,
  ]);
  // Without a command it completes the options of `run`. Bash splits `--reporter=json` into three
  // words.
  return `_${PROGRAM}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  [ "$before" = = ] && before="\${COMP_WORDS[COMP_CWORD-2]}"
  [ "$current" = = ] && current=
  case "\${COMP_WORDS[1]} $before" in
${[...cases, ...choiceCases("*", run)].join("\n")}
    *) words="${Object.keys(commands).join(" ")} ${optionNames(run)}" ;;
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

function zsh(commands: CommandWords): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(commands)}`;
}

function fish(commands: CommandWords): string {
  const lines = Object.keys(commands)
    .map((name) => `complete -c ${PROGRAM} -n __fish_use_subcommand -a ${name}`);
  for (const [name, { options, words }] of Object.entries(commands)) {
    const when = name === "run" ? "" : ` -n "__fish_seen_subcommand_from ${name}"`;
    if (words.length > 0) lines.push(`complete -c ${PROGRAM}${when} -a "${words.join(" ")}"`);
    for (const [option, { value, choices }] of Object.entries(options)) {
      const values = choices ? ` -a "${choices.join(" ")}"` : "";
      lines.push(`complete -c ${PROGRAM}${when} -l ${option}${value ? " -r" : ""}${values}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
