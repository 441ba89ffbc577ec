import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What a version looks like: `1.2.3` or `1.2.3-rc.1`. */
export const VERSION_PATTERN: RegExp =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/**
 * Where the version of the project stands: in `deno.json`, and in files that follow it. A pattern
 * has what comes before the version, and ends with the version.
 */
const PLACES: Readonly<Record<string, RegExp>> = {
  "deno.json": /(^ {2}"version": ")[^"]*/gm,
  "package.json": /(^ {2}"version": ")[^"]*/gm,
  // Once for the file, and once for the package in it.
  "package-lock.json": /("name": "@dispatch\/sdk",\s+"version": ")[^"]*/g,
  "runner/cli/command.ts": /(\bVERSION = ")[^"]*/g,
  "action.yml": /(^ {4}default: ")\d[^"]*/gm,
  "docs/install.md":
    /(dispatch-sdk-|\/REPOSITORY@v|\/REPOSITORY:|\bVERSION=)\d+\.\d+\.\d+(?:-[\w.-]+?)?(?=\.tgz|\s)/g,
};

/** Returns the version of the project. */
export function projectVersion(root: string): string {
  return JSON.parse(readFileSync(join(root, "deno.json"), "utf8")).version;
}

/** Returns the files that have the version. */
export function versionedFiles(): string[] {
  return Object.keys(PLACES);
}

/** Writes a version to all places; by default that of `deno.json` to the others. */
export function writeVersion(root: string, version: string = projectVersion(root)): void {
  for (const [file, pattern] of Object.entries(PLACES)) {
    const path = join(root, file);
    writeFileSync(path, readFileSync(path, "utf8").replaceAll(pattern, `$1${version}`));
  }
}

/** Returns the versions that stand in each file, to find one that does not follow. */
export function versionsByFile(root: string): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(PLACES).map(([file, pattern]) => {
      const found = readFileSync(join(root, file), "utf8").matchAll(pattern);
      return [file, Array.from(found, ([all, before]) => all.slice(before!.length))];
    }),
  );
}

/**
 * Compares two versions by the rules of Semantic Versioning: negative if the first is older.
 * A version without a suffix is newer than one with it.
 */
export function compareVersions(a: string, b: string): number {
  const [[coreA, suffixA], [coreB, suffixB]] = [a, b].map((version) => {
    const dash = version.indexOf("-");
    return dash === -1 ? [version, ""] : [version.slice(0, dash), version.slice(dash + 1)];
  }) as [[string, string], [string, string]];
  const byCore = compareParts(coreA, coreB);
  if (byCore !== 0 || suffixA === suffixB) return byCore;
  if (suffixA === "" || suffixB === "") return suffixA === "" ? 1 : -1;
  return compareParts(suffixA, suffixB);
}

/** Compares words between dots: numbers by their value and before other words, fewer words first. */
function compareParts(a: string, b: string): number {
  const [partsA, partsB] = [a.split("."), b.split(".")];
  for (const [i, one] of partsA.entries()) {
    const other = partsB[i];
    if (other === undefined) return 1;
    if (one === other) continue;
    const isNumber = [one, other].map((part) => /^\d+$/.test(part));
    if (isNumber[0] && isNumber[1]) return Number(one) - Number(other);
    if (isNumber[0] || isNumber[1]) return isNumber[0] ? -1 : 1;
    return one < other ? -1 : 1;
  }
  return partsA.length - partsB.length;
}
