import { UsageError } from "../args.ts";
import { type Command, PROGRAM } from "../command.ts";

const SHELLS: Readonly<Record<string, (name: string) => string>> = { bash, zsh, fish };

/** `completion`: prints a script that makes a shell ask the program what can stand at the cursor. */
export const completion: Command = {
  usage: "completion SHELL",
  description: "Print a completion script for bash, zsh or fish.",
  examples: (program) => [
    `source <(${program} completion bash)    # in ~/.bashrc`,
    `source <(${program} completion zsh)     # in ~/.zshrc`,
    `${program} completion fish | source     # in ~/.config/fish/config.fish`,
  ],
  options: {},
  async run({ positional }, { out, program }) {
    const [shell] = positional;
    if (positional.length !== 1 || !Object.hasOwn(SHELLS, shell!)) {
      throw new UsageError(`completion takes one of ${Object.keys(SHELLS).join(", ")}`);
    }
    // Shells complete what follows one word.
    const name = await program();
    const [, word] = /^(?:[\w./:~\\-]*[\\/])?([\w.-]+)$/.exec(name) ?? [];
    out.write(SHELLS[shell!]!(word ?? PROGRAM));
    return 0;
  },
};

/** A name for the function of a script. */
function functionOf(name: string): string {
  return `_${name.replaceAll(/\W/g, "_")}_complete`;
}

function bash(name: string): string {
  const call = functionOf(name);
  return `${call}() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      $'\\tpaths') compopt -o filenames 2>/dev/null ;;
      *$'\\t'*) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete bash "$COMP_WORDBREAKS" \\
    "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
  case \${COMPREPLY[0]-} in
    *[=:/]) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -F ${call} ${name}
`;
}

function zsh(name: string): string {
  const call = functionOf(name);
  return `#compdef ${name}
${call}() {
  local line value
  local -a whole whole_texts begun begun_texts home
  for line in "\${(@f)$("\${(Q)words[1]}" __complete zsh -- "\${(@Q)words[2,CURRENT-1]}" \\
    "\${(Q)PREFIX}" 2>/dev/null </dev/null)}"; do
    [[ $line == *$'\\t'* ]] || continue
    value=\${line%%$'\\t'*}
    line=\${line#*$'\\t'}
    if [[ $value == '~'* ]]; then
      home+=("~\${(q)value[2,-1]}")
    elif [[ $value == *[=:/] ]]; then
      begun+=("$value")
      begun_texts+=("$value\${line:+  -- $line}")
    else
      whole+=("$value")
      whole_texts+=("$value\${line:+  -- $line}")
    fi
  done
  (( $#whole )) && compadd -l -d whole_texts -a whole
  (( $#home )) && compadd -Q -S '' -a home
  (( $#begun )) && compadd -l -S '' -d begun_texts -a begun
}
if [ "$funcstack[1]" = "_${name}" ]; then
  ${call} "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef ${call} ${name}
fi
`;
}

function fish(name: string): string {
  const call = functionOf(name);
  return `function ${call}
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  $words[1] __complete fish -- $words[2..-1] "$current" 2>/dev/null </dev/null | string match -e \\t
end
complete -c ${name} -f -a '(${call})'
`;
}
