import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { copyFile, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { releaseChanges, releaseNotes } from "../../packaging/changelog.ts";
import { writeChecksums } from "../../packaging/checksums.ts";
import { release, ReleaseError, type ReleaseOptions } from "../../packaging/release.ts";
import {
  compareVersions,
  versionedFiles,
  versionsByFile,
  writeVersion,
} from "../../packaging/version.ts";
import { ROOT } from "../project/sources.ts";

const CHANGES = `# Changelog

## [Unreleased]

### Added

- Something new.

## [0.0.1] - 2025-01-01

- The first.
`;

/** A repository with the files that a release changes, and one that it does not. */
interface Project extends Disposable {
  root: string;
  git(...args: string[]): string;
  read(path: string): string;
  write(path: string, text: string): void;
}

async function createProject(): Promise<Project> {
  const root = mkdtempSync(join(tmpdir(), "dispatch-release-"));
  for (const path of versionedFiles()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(join(ROOT, path), join(root, path));
  }
  const write = (path: string, text: string) => writeFileSync(join(root, path), text);
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  for (const path of ["README.md", "docs/cli.md", "other.txt"]) write(path, "text\n");
  write("docs/install.md", read("docs/install.md").replace(/No version has been\s+published/, ""));
  write("CHANGELOG.md", CHANGES);
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: "pipe" }).trimEnd();
  writeVersion(root, "0.1.0");
  git("init", "--quiet", "--initial-branch", "main", "--template=");
  const settings =
    "[user]\nname = A\nemail = a@b.c\n[commit]\ngpgsign = false\n[tag]\ngpgsign = false\n";
  write(".git/config", read(".git/config") + settings);
  git("add", ".");
  git("commit", "--quiet", "--message", "Begin");
  return {
    root,
    git,
    read,
    write,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Releases a version of a project, and returns what was printed. */
function run({ root }: Project, version: string, options: Partial<ReleaseOptions> = {}): string[] {
  const lines: string[] = [];
  release({
    root,
    version,
    date: new Date("2031-02-03T23:59:00Z"),
    dryRun: false,
    check: () => {},
    build: () => ["a.tgz"],
    print: (line) => lines.push(line),
    ...options,
  });
  return lines;
}

/** Returns why a release is refused. */
function reasons(project: Project, version: string): readonly string[] {
  try {
    run(project, version);
  } catch (error) {
    ok(error instanceof ReleaseError, String(error));
    equal(error.code, "release_refused");
    return error.reasons;
  }
  return [];
}

test("a release has its version in all files, its changes and a tag, and says how to publish it", async () => {
  using project = await createProject();
  const { git, read, root } = project;
  const lines = run(project, "7.8.9");
  for (const [file, versions] of Object.entries(versionsByFile(root))) {
    ok(versions.length > 0 && versions.every((version) => version === "7.8.9"), file);
  }
  equal(
    read("CHANGELOG.md"),
    CHANGES.replace("[Unreleased]\n", "[Unreleased]\n\n## [7.8.9] - 2031-02-03\n"),
  );
  equal(git("log", "--format=%s", "-1", "v7.8.9^{commit}"), "Release 7.8.9");
  equal(git("cat-file", "-t", "v7.8.9"), "tag");
  equal(git("status", "--porcelain"), "");
  deepEqual(
    git("diff", "--name-only", "HEAD^").split("\n"),
    [...versionedFiles(), "CHANGELOG.md"].sort(),
  );
  equal(lines.at(-1)!.trim(), "git push --atomic origin main v7.8.9");
  ok(lines.includes("  a.tgz"));
  // The next one begins where this one has ended.
  deepEqual(reasons(project, "7.8.9"), [
    "the tag v7.8.9 exists",
    "CHANGELOG.md has no entry below ## [Unreleased]",
  ]);
});

test("a dry run builds the version, and leaves everything as it was", async () => {
  using project = await createProject();
  const { git, root } = project;
  const before = git("rev-parse", "HEAD");
  const built: string[] = [];
  run(project, "7.8.9", {
    dryRun: true,
    build() {
      built.push(...Object.values(versionsByFile(root)).flat());
      return [];
    },
  });
  deepEqual([...new Set(built)], ["7.8.9"]);
  deepEqual([git("rev-parse", "HEAD"), git("status", "--porcelain"), git("tag")], [before, "", ""]);
});

test("a failed check or build leaves everything as it was", async () => {
  using project = await createProject();
  const { git } = project;
  const before = git("rev-parse", "HEAD");
  const fail = () => {
    throw new Error("it failed");
  };
  for (const options of [{ check: fail }, { build: fail }]) {
    throws(() => run(project, "7.8.9", options), /it failed/);
    deepEqual([git("rev-parse", "HEAD"), git("status", "--porcelain"), git("tag")], [
      before,
      "",
      "",
    ]);
  }
});

test("refuses a release, and says all that speaks against it", async () => {
  using project = await createProject();
  const { git, write } = project;
  for (const version of ["", "v1.0.0", "1.0", "1.0.0-", "01.0.0", "1.0.0 "]) {
    deepEqual(reasons(project, version), ["a version is like 1.2.3 or 1.2.3-rc.1"]);
  }
  deepEqual(reasons(project, "0.0.9"), ["deno.json has 0.1.0, which is newer"]);
  git("tag", "v2.0.0");
  git("tag", "v2.0.0-rc.1");
  git("tag", "vacation");
  deepEqual(reasons(project, "2.0.0-rc.2"), ["2.0.0 has been released, which is newer"]);
  git("switch", "--quiet", "--create", "feature");
  write("README.md", "The package is not published yet.\n");
  write("CHANGELOG.md", CHANGES.replace("- Something new.", "Nothing."));
  deepEqual(reasons(project, "2.0.0"), [
    "the tag v2.0.0 exists",
    "the branch is 'feature', not 'main'",
    "there are changes that are not committed:\n M CHANGELOG.md\n M README.md",
    "CHANGELOG.md has no entry below ## [Unreleased]",
    "README.md says that nothing has been published",
  ]);
});

test("writing another version and the first one again changes nothing", async () => {
  using project = await createProject();
  const { root, git, read } = project;
  const texts = () => versionedFiles().map(read);
  const before = texts();
  for (const version of ["2.0.0-rc.1", "10.20.30", "0.1.0"]) {
    writeVersion(root, version);
    for (const [file, versions] of Object.entries(versionsByFile(root))) {
      deepEqual([...new Set(versions)], [version], file);
    }
    // No place in the documentation is forgotten.
    equal(read("docs/install.md").includes("0.1.0"), version === "0.1.0");
  }
  deepEqual(texts(), before);
  equal(git("status", "--porcelain"), "");
});

test("the first release can have the version that deno.json has", async () => {
  using project = await createProject();
  run(project, "0.1.0");
  equal(project.git("tag"), "v0.1.0");
});

test("versions are ordered as Semantic Versioning says", () => {
  const ordered = [
    ...["0.9.0", "0.10.0", "1.0.0-1", "1.0.0-2", "1.0.0-10", "1.0.0-alpha", "1.0.0-alpha.1"],
    ...["1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0"],
    ...["1.0.1-rc.1", "1.0.1", "1.2.0", "2.0.0"],
  ];
  deepEqual([...ordered].reverse().sort(compareVersions), ordered);
  equal(compareVersions("1.0.0-a", "1.0.0-a"), 0);
});

test("the notes of a release are its section of the changelog", () => {
  const changes = releaseChanges(CHANGES, "1.0.0-rc.1", new Date(0));
  equal(releaseNotes(changes, "1.0.0-rc.1"), "### Added\n\n- Something new.\n");
  equal(releaseNotes(changes, "0.0.1"), "- The first.\n");
  throws(() => releaseNotes(changes, "1.0.0"), /no heading/);
  throws(() => releaseChanges(changes, "0.0.1", new Date(0)), /no entry/);
  throws(() => releaseChanges(CHANGES, "0.0.1", new Date(0)), /has a section of 0\.0\.1 already/);
  match(releaseChanges("## [Unreleased]\n\n- x", "1.0.0", new Date(0)), /- x\n$/);
});

test("the list of checksums is one that sha256sum reads, and has no line of itself", () => {
  const directory = mkdtempSync(join(tmpdir(), "dispatch-checksums-"));
  try {
    writeFileSync(join(directory, "b"), "");
    writeFileSync(join(directory, "a b"), "abc");
    writeChecksums(directory);
    writeChecksums(directory);
    equal(
      readFileSync(join(directory, "SHA256SUMS"), "utf8"),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a b\n" +
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b\n",
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
});
