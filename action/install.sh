#!/usr/bin/env bash
# Puts the executable of a release, whose checksum it has compared, on the PATH of later steps.
set -euo pipefail
# shellcheck source=action/log.sh
source "$(dirname "${BASH_SOURCE[0]}")/log.sh"

download() {
  if command -v curl >/dev/null; then
    curl --fail --silent --show-error --location --proto '=http,https' --retry 3 --max-time 300 \
      --output "$2" -- "$1"
  elif command -v wget >/dev/null; then
    wget --quiet --tries 3 --timeout 60 -O "$2" -- "$1"
  else
    fail "Cannot download dispatch: the runner has neither curl nor wget"
  fi
}

# Prints the checksum of its standard input.
sha256() {
  if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi | cut -c 1-64
}

# Downloads the executable for this runner and sets `executable`.
install_release() {
  local directory=$1 version=${INPUT_VERSION#v} name releases base expected actual
  case "$RUNNER_OS-$RUNNER_ARCH" in
    Linux-X64) name=dispatch-linux-x64 ;;
    Linux-ARM64) name=dispatch-linux-arm64 ;;
    macOS-X64) name=dispatch-macos-x64 ;;
    macOS-ARM64) name=dispatch-macos-arm64 ;;
    # Windows on ARM runs programs for x64, too.
    Windows-X64 | Windows-ARM64) name=dispatch-windows-x64.exe ;;
    *) fail "Cannot install dispatch: there is no executable for $RUNNER_OS on $RUNNER_ARCH" ;;
  esac
  if [[ $version != latest && ! $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
    fail "The input version must be latest or like 1.2.3, not '$INPUT_VERSION'" 2
  fi
  # The action's repository is empty where a workflow uses the action of its own repository.
  releases=${GITHUB_SERVER_URL:-https://github.com}/${ACTION_REPOSITORY:-${GITHUB_REPOSITORY:-}}/releases
  releases=${INPUT_DOWNLOADS:-$releases}
  base=${releases%/}/download/v$version
  if [[ $version == latest ]]; then base=${releases%/}/latest/download; fi
  mkdir -p "$directory"
  download "$base/$name" "$directory/$name" || fail "Cannot download $base/$name"
  expected=$INPUT_CHECKSUM
  if [[ -z $expected ]]; then
    download "$base/SHA256SUMS" "$directory/SHA256SUMS" || fail "Cannot download $base/SHA256SUMS"
    expected=$(awk -v name="$name" '$2 == name { print $1; exit }' "$directory/SHA256SUMS")
    [[ -n $expected ]] || fail "Cannot install dispatch: SHA256SUMS has no checksum of $name"
  fi
  actual=$(sha256 <"$directory/$name")
  # Some programs write checksums in capitals.
  expected=$(printf '%s' "$expected" | tr 'A-F' 'a-f')
  if [[ $actual != "$expected" ]]; then
    rm -f "$directory/$name"
    fail "Cannot install dispatch: the checksum of $name is $actual, not $expected"
  fi
  executable=$directory/dispatch
  if [[ $name == *.exe ]]; then executable+=.exe; fi
  mv "$directory/$name" "$executable"
  chmod +x "$executable"
}

if [[ -n $INPUT_EXECUTABLE ]]; then
  [[ -x $INPUT_EXECUTABLE ]] || fail "Cannot run the input executable '$INPUT_EXECUTABLE'" 2
  # The command may run in another directory.
  executable=$(cd "$(dirname "$INPUT_EXECUTABLE")" && pwd)/$(basename "$INPUT_EXECUTABLE")
else
  install_release "$RUNNER_TEMP/dispatch"
  echo "$RUNNER_TEMP/dispatch" >>"$GITHUB_PATH"
fi
found=$("$executable" --version 2>&1) ||
  fail "Cannot run dispatch on this machine; on Linux it needs glibc, which Alpine has not: $found"
echo "$found"
output executable "$executable"

if [[ -n $INPUT_HISTORY ]]; then
  case $INPUT_HISTORY in
    /* | [A-Za-z]:*) history=$INPUT_HISTORY ;;
    *) history=${INPUT_DIRECTORY%/}/$INPUT_HISTORY ;;
  esac
  output history "$history"
  # A path can have characters that keys of the cache cannot.
  output history-key "dispatch-history-$(printf '%s' "$history" | sha256 | cut -c 1-16)"
fi
