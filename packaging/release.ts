import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { releaseChanges } from "./changelog.ts";
import {
  compareVersions,
  projectVersion,
  VERSION_PATTERN,
  versionedFiles,
  writeVersion,
} from "./version.ts";

/** The branch that versions are released from. */
const BRANCH = "main";

/** Pages that say so until there is a first version. */
const PAGES = ["README.md", "CHANGELOG.md", "docs/install.md", "docs/cli.md"];
const UNPUBLISHED = /not (?:been )?published yet|No version has been\s+published/;

/** What {@linkcode release} needs. */
export interface ReleaseOptions {
  /** The project's folder. */
  root: string;
  /** The version to release. */
  version: string;
  /** The date of the release. */
  date: Date;
  /** Whether to do everything but keep nothing except what is built. */
  dryRun: boolean;
  /** Checks the project; throws if something is wrong. */
  check: () => void;
  /** Builds what the release consists of, and returns the names of the files. */
  build: () => string[];
  /** Prints a line about the progress. */
  print: (line: string) => void;
}

/** Why a version cannot be released: all reasons, and nothing was changed. */
export class ReleaseError extends Error {
  /** Says that a release was refused. */
  readonly code = "release_refused";
  /** One sentence for each. */
  readonly reasons: readonly string[];

  /** Says why a version cannot be released. */
  constructor(version: string, reasons: readonly string[]) {
    super(`Cannot release '${version}':\n${reasons.map((reason) => `- ${reason}`).join("\n")}`);
    this.name = "ReleaseError";
    this.reasons = reasons;
  }
}

/**
 * Releases a version on this machine: checks, writes the version and the changelog, builds, commits
 * and tags. It pushes nothing; a workflow publishes the tag once somebody has pushed it.
 *
 * @throws {ReleaseError} When the version cannot be released.
 */
export function release(options: ReleaseOptions): void {
  const { root, version, date, dryRun, check, build, print } = options;
  const git = (...args: string[]) => runGit(root, args);
  const changes = readFileSync(join(root, "CHANGELOG.md"), "utf8");
  const reasons = reasonsAgainst(options, changes, git);
  if (reasons.length > 0) throw new ReleaseError(version, reasons);
  print("Checking the project");
  check();
  const files = [...versionedFiles(), "CHANGELOG.md"];
  try {
    print(`Writing ${version} to ${files.join(", ")}`);
    writeVersion(root, version);
    writeFileSync(join(root, "CHANGELOG.md"), releaseChanges(changes, version, date));
    print("Building");
    for (const file of build()) print(`  ${file}`);
    if (!dryRun) {
      git("commit", "--quiet", "--message", `Release ${version}`, "--", ...files);
      git("tag", "--annotate", "--message", version, `v${version}`);
    }
  } finally {
    // After a commit there is nothing to restore; otherwise the files are as they were.
    git("restore", "--", ...files);
  }
  if (dryRun) return print(`${version} can be released; nothing was committed or tagged`);
  print(`Committed and tagged v${version}. To publish it:`);
  print(`  git push --atomic origin ${BRANCH} v${version}`);
}

/** Returns everything that speaks against a release. */
function reasonsAgainst(
  { root, version, date }: ReleaseOptions,
  changes: string,
  git: (...args: string[]) => string,
): string[] {
  if (!VERSION_PATTERN.test(version)) return ["a version is like 1.2.3 or 1.2.3-rc.1"];
  const reasons: string[] = [];
  const current = projectVersion(root);
  if (compareVersions(version, current) < 0) {
    reasons.push(`deno.json has ${current}, which is newer`);
  }
  const tags = git("tag", "--list", "v*").split("\n").map((tag) => tag.slice(1));
  const released = tags.filter((tag) => VERSION_PATTERN.test(tag)).sort(compareVersions).at(-1);
  if (released === version) reasons.push(`the tag v${version} exists`);
  else if (released !== undefined && compareVersions(version, released) < 0) {
    reasons.push(`${released} has been released, which is newer`);
  }
  const branch = git("branch", "--show-current").trim();
  if (branch !== BRANCH) reasons.push(`the branch is '${branch}', not '${BRANCH}'`);
  const changed = git("status", "--porcelain").trimEnd();
  if (changed !== "") reasons.push(`there are changes that are not committed:\n${changed}`);
  try {
    releaseChanges(changes, version, date);
  } catch (error) {
    reasons.push((error as Error).message);
  }
  for (const page of PAGES) {
    if (!UNPUBLISHED.test(readFileSync(join(root, page), "utf8"))) continue;
    reasons.push(`${page} says that nothing has been published`);
  }
  return reasons;
}

function runGit(root: string, args: string[]): string {
  const { status, error, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (error) throw new Error(`Cannot run git: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`Cannot run git ${args[0]}: ${stderr.trim() || stdout.trim()}`);
  return stdout;
}

/** Runs the command line: `release 1.2.3 [--dry-run]`. */
async function main(): Promise<void> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { "dry-run": { type: "boolean", default: false } },
  });
  const [version, ...more] = positionals;
  if (version === undefined || more.length > 0) {
    throw new ReleaseError(positionals.join(" "), ["name one version: deno task release 1.2.3"]);
  }
  // Loaded now, because it loads what builds.
  const { buildArtefacts } = await import("./artefacts.ts");
  release({
    root,
    version,
    date: new Date(),
    dryRun: values["dry-run"],
    check() {
      const { status } = spawnSync("deno", ["task", "ok"], { cwd: root, stdio: "inherit" });
      if (status !== 0) throw new ReleaseError(version, ["`deno task ok` failed"]);
    },
    build: buildArtefacts,
    print: (line) => process.stdout.write(`${line}\n`),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  });
}
