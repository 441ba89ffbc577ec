/**
 * A line that is no command to the CI that reads along: `::error::` at its beginning, or
 * `##[error]` and `##vso[…]` anywhere in it, would be carried out.
 */
export function inert(line: string): string {
  return line.replace(/^(\s*):(?=:)/, "$1: ").replace(/##(?=\w*\[)/g, "# #");
}
