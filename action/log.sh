# shellcheck shell=bash
# Shared by the scripts of the action. The bash 3.2 of macOS has to understand it.

# Prints an error that GitHub shows, and ends the step as a command that could not run does.
fail() {
  local text=$1
  # A line break would begin another command.
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  text=${text//$'\n'/%0A}
  printf '::error title=dispatch::%s\n' "$text"
  exit "${2:-3}"
}

# Appends an output of the step. A value with line breaks gets a delimiter that it cannot contain.
output() {
  local name=$1 value=$2 end=dispatch
  while [[ $value == *"$end"* ]]; do end=$end-$RANDOM; done
  printf '%s<<%s\n%s\n%s\n' "$name" "$end" "$value" "$end" >>"$GITHUB_OUTPUT"
}
