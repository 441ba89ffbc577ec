#!/usr/bin/env bash
# Runs recipes, or merges the streams of their shards, as the inputs of the action say.
set -euo pipefail
# shellcheck source=action/log.sh
source "$(dirname "${BASH_SOURCE[0]}")/log.sh"

# Prints the lines of a text that are not blank, without the space around them.
lines() {
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    line=${line#"${line%%[![:space:]]*}"}
    line=${line%"${line##*[![:space:]]}"}
    if [[ -n $line ]]; then printf '%s\n' "$line"; fi
  done <<<"$1"
}

case $INPUT_COMMAND in
  run | merge) ;;
  *) fail "The input command must be run or merge, not '$INPUT_COMMAND'" 2 ;;
esac

arguments=("$INPUT_COMMAND" --reporter console --reporter github)
reports=()
while IFS= read -r reporter; do
  # The log can have these only once.
  case $reporter in console | github) continue ;; esac
  arguments+=(--reporter "$reporter")
  case $reporter in *=*) reports+=("${reporter#*=}") ;; esac
done < <(lines "$INPUT_REPORTERS")
if [[ -n $INPUT_HISTORY ]]; then arguments+=(--history "$INPUT_HISTORY"); fi
if [[ -n $INPUT_SHARD ]]; then arguments+=(--shard "$INPUT_SHARD"); fi
while IFS= read -r argument; do arguments+=("$argument"); done < <(lines "$INPUT_ARGS")
# What follows is no option, whatever it begins with.
arguments+=(--)
while IFS= read -r recipe; do arguments+=("$recipe"); done < <(lines "$INPUT_RECIPES")

# In the environment, where other users of the machine do not see them.
if [[ -n $INPUT_URL ]]; then export DISPATCH_URL=$INPUT_URL; fi
if [[ -n $INPUT_TOKEN ]]; then export DISPATCH_TOKEN=$INPUT_TOKEN; fi
unset INPUT_TOKEN
# Git Bash would take an argument such as /dwp for a path.
export MSYS_NO_PATHCONV=1

# GitHub tells only this process that the job was cancelled.
child=
cancelled=
stop() {
  cancelled=yes
  if [[ -n $child ]]; then kill -TERM "$child" 2>/dev/null || true; fi
}
trap stop INT TERM
"$DISPATCH" "${arguments[@]}" &
child=$!
if [[ -n $cancelled ]]; then stop; fi
while :; do
  code=0
  wait "$child" || code=$?
  # A signal ends the wait before the command.
  kill -0 "$child" 2>/dev/null || break
done

written=
# The bash of macOS takes an empty array for an unset variable.
for report in ${reports[@]+"${reports[@]}"}; do
  [[ -f $report ]] || continue
  # Other steps do not run in this directory.
  case $report in
    /* | [A-Za-z]:*) written+=$report$'\n' ;;
    *) written+=${INPUT_DIRECTORY%/}/$report$'\n' ;;
  esac
done
output reports "${written%$'\n'}"
output exit-code "$code"
exit "$code"
