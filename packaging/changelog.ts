const UNRELEASED = "## [Unreleased]";

/** Returns what is below a heading of the changelog, such as `## [1.2.0] - 2026-01-31`. */
function sectionAt(text: string, heading: RegExp): { start: number; end: number; body: string } {
  const found = heading.exec(text);
  if (!found) throw new Error(`Cannot read CHANGELOG.md: it has no heading ${heading.source}`);
  const start = found.index + found[0].length;
  const next = text.slice(start).search(/^## /m);
  const end = next === -1 ? text.length : start + next;
  return { start, end, body: text.slice(start, end).trim() };
}

/**
 * Gives what has not been released to a version: its section begins below an empty
 * `## [Unreleased]`.
 *
 * @param date When the version is released, in UTC.
 * @throws {Error} When nothing has changed, or the version has a section already.
 */
export function releaseChanges(text: string, version: string, date: Date): string {
  const { start, end, body } = sectionAt(text, /^## \[Unreleased\]$/m);
  if (!/^- /m.test(body)) {
    throw new Error(`CHANGELOG.md has no entry below ${UNRELEASED}`);
  }
  if (text.includes(`\n## [${version}]`)) {
    throw new Error(`CHANGELOG.md has a section of ${version} already`);
  }
  const day = date.toISOString().slice(0, 10);
  const rest = text.slice(end);
  return `${text.slice(0, start)}\n\n## [${version}] - ${day}\n\n${body}\n${rest && `\n${rest}`}`;
}

/** Returns what the changelog says about a version, as the notes of its release. */
export function releaseNotes(text: string, version: string): string {
  const escaped = version.replaceAll(/[.]/g, "\\.");
  return `${sectionAt(text, new RegExp(`^## \\[${escaped}\\].*$`, "m")).body}\n`;
}
