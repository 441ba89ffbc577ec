import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** What can be completed. */
export interface Completions {
  /** The names of commands. */
  commands: string[];
  /** The options of each command, with their dashes. */
  options: Record<string, string[]>;
}

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

function bash({ commands, options }: Completions): string {
  const cases = commands.map((name) => `    ${name}) words="${options[name]!.join(" ")}" ;;`);
  return `_dispatch_runner() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words="${commands.join(" ")} ${options.run!.join(" ")}"
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _dispatch_runner runner.ts dispatch-runner
`;
}

function zsh(completions: Completions): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(completions)}`;
}

function fish({ commands, options }: Completions): string {
  const lines = commands.map((name) => `complete -c runner.ts -n __fish_use_subcommand -a ${name}`);
  for (const name of commands) {
    for (const option of options[name]!) {
      const when = name === "run" ? "" : ` -n "__fish_seen_subcommand_from ${name}"`;
      lines.push(`complete -c runner.ts${when} -l ${option.slice(2)}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
