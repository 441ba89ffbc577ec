import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { binaryName, buildBinary, type Platform, PLATFORMS } from "./binary.ts";
import { releaseNotes } from "./changelog.ts";
import { writeChecksums } from "./checksums.ts";
import { buildNpm, NPM_DIRECTORY } from "./npm.ts";
import { projectVersion } from "./version.ts";

/** The project's folder. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the files of a release are put. Git ignores it. */
export const RELEASE_DIRECTORY: string = join(ROOT, "dist", "release");

/** What {@linkcode buildArtefacts} is told. */
export interface ArtefactOptions {
  /** Where the sources are published, for the npm package: `https://…`. */
  repository?: string | undefined;
}

/**
 * Builds everything that a release consists of into {@linkcode RELEASE_DIRECTORY}: the npm package,
 * the executables, and their checksums. Checks what would go to JSR, which takes the sources.
 *
 * @returns The names of the files.
 */
export function buildArtefacts({ repository }: ArtefactOptions = {}): string[] {
  rmSync(RELEASE_DIRECTORY, { recursive: true, force: true });
  mkdirSync(RELEASE_DIRECTORY, { recursive: true });
  run("check the package for JSR", "deno", ["publish", "--dry-run", "--allow-dirty"]);
  buildNpm();
  // npm compares it with where the workflow ran that publishes the package.
  if (repository !== undefined) nameRepository(join(NPM_DIRECTORY, "package.json"), repository);
  run("pack the npm package", "npm", [
    ...["pack", "--silent", "--pack-destination", RELEASE_DIRECTORY],
    NPM_DIRECTORY,
  ]);
  for (const platform of Object.keys(PLATFORMS) as Platform[]) {
    copyFileSync(buildBinary(platform), join(RELEASE_DIRECTORY, binaryName(platform)));
  }
  writeChecksums(RELEASE_DIRECTORY);
  return readdirSync(RELEASE_DIRECTORY).sort();
}

function nameRepository(file: string, repository: string): void {
  const manifest = JSON.parse(readFileSync(file, "utf8"));
  manifest.repository = { type: "git", url: `git+${repository}.git` };
  writeFileSync(file, JSON.stringify(manifest, undefined, 2) + "\n");
}

function run(what: string, command: string, args: string[]): void {
  // npm and Deno are scripts on Windows, which only a shell can start.
  const shell = process.platform === "win32";
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: ROOT,
    shell,
    encoding: "utf8",
  });
  if (error) throw new Error(`Cannot ${what}: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`Cannot ${what}: exit code ${status}\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: { tag: { type: "string" }, repository: { type: "string" } },
  });
  const version = projectVersion(ROOT);
  if (values.tag !== undefined && values.tag !== `v${version}`) {
    process.stderr.write(`error: the tag ${values.tag} is not that of version ${version}\n`);
    process.exit(2);
  }
  const files = buildArtefacts(values);
  if (values.tag !== undefined) {
    const changes = readFileSync(join(ROOT, "CHANGELOG.md"), "utf8");
    writeFileSync(join(ROOT, "dist", "notes.md"), releaseNotes(changes, version));
  }
  for (const file of files) process.stdout.write(`${join(RELEASE_DIRECTORY, file)}\n`);
}
