import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The project's folder. */
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Where the executables are built. Git ignores it. */
export const BINARY_DIRECTORY: string = join(ROOT, "dist", "bin");

/** Where the runtimes of other platforms are kept. */
const RUNTIMES = join(ROOT, "dist", "runtimes");

/** The platforms that executables are built for, and what Bun calls them in its npm packages. */
export const PLATFORMS = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-aarch64",
  "macos-arm64": "darwin-aarch64",
  "macos-x64": "darwin-x64",
  "windows-x64": "windows-x64",
} as const;

/** A platform that executables are built for. */
export type Platform = keyof typeof PLATFORMS;

/** What `bun build` is told besides the platform and the files. */
const FLAGS = [
  "--compile",
  "--bytecode",
  // Keeps imports lazy: what a command does not need is not even decoded.
  "--format=esm",
  "--splitting",
  // Files in the working directory must not change what the program does: `bunfig.toml` can name
  // code to run first.
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig",
  // Without it, the packages that a user's file imports are not found.
  "--compile-autoload-package-json",
  // Runs last seconds, and compiling functions to machine code early takes half of that.
  "--compile-jit-policy=10",
];

/** The name of a platform's executable. */
export function binaryName(platform: Platform): string {
  return `dispatch-${platform}${platform.startsWith("windows") ? ".exe" : ""}`;
}

/** Returns the platform of this machine, if executables are built for it. */
export function hostPlatform(): Platform | undefined {
  const system = { darwin: "macos", win32: "windows" }[process.platform as string] ??
    process.platform;
  const name = `${system}-${process.arch}`;
  return name in PLATFORMS ? name as Platform : undefined;
}

/**
 * Builds the executable of a platform: the program with a runtime and everything that it imports.
 *
 * @returns Its path.
 */
export function buildBinary(platform: Platform, directory: string = BINARY_DIRECTORY): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, binaryName(platform));
  const bun = join(ROOT, "node_modules", "bun", "bin", "bun.exe");
  const runtime = platform === hostPlatform() ? bun : fetchRuntime(platform);
  const args = [
    "build",
    ...FLAGS,
    `--target=bun-${PLATFORMS[platform].replace("aarch64", "arm64")}`,
    `--compile-executable-path=${runtime}`,
    join(ROOT, "packaging", "binary_main.ts"),
    "--outfile",
    path,
  ];
  // Bun writes the file under another name first, into the working directory.
  run(`build the executable for ${platform}`, bun, args, directory);
  return path;
}

/**
 * Gets Bun for another platform from its npm package, in the version that the project is tested
 * with. Bun would download it itself, but does not check what it gets.
 *
 * @returns The path of the runtime.
 */
function fetchRuntime(platform: Platform): string {
  const name = `@oven/bun-${PLATFORMS[platform]}`;
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"));
  const { version, integrity } = lock.packages[`node_modules/${name}`];
  const directory = join(RUNTIMES, `${basename(name)}-${version}`);
  const runtime = join(directory, "bin", platform.startsWith("windows") ? "bun.exe" : "bun");
  if (existsSync(runtime)) return runtime;
  mkdirSync(RUNTIMES, { recursive: true });
  const temporary = mkdtempSync(join(RUNTIMES, "download-"));
  try {
    const what = `get ${name}`;
    run(what, "npm", ["pack", "--silent", `${name}@${version}`], temporary);
    const archive = join(temporary, `oven-${basename(name)}-${version}.tgz`);
    const digest = createHash("sha512").update(readFileSync(archive)).digest("base64");
    if (integrity !== `sha512-${digest}`) {
      throw new Error(`Cannot ${what}: its checksum is not the one in package-lock.json`);
    }
    run(what, "tar", ["-xzf", basename(archive)], temporary);
    rmSync(directory, { recursive: true, force: true });
    renameSync(join(temporary, "package"), directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return runtime;
}

/** Runs a program that must succeed. */
function run(what: string, command: string, args: string[], cwd: string): void {
  // npm is a script on Windows, which only a shell can start.
  const shell = command === "npm" && process.platform === "win32";
  const result = spawnSync(command, args, { cwd, shell, encoding: "utf8" });
  const { status, error, stdout, stderr } = result;
  if (error) throw new Error(`Cannot ${what}: ${error.message}`, { cause: error });
  if (status !== 0) throw new Error(`Cannot ${what}: exit code ${status}\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const wanted = process.argv.slice(2);
  const names = Object.keys(PLATFORMS) as Platform[];
  const unknown = wanted.find((name) => name !== "host" && !(name in PLATFORMS));
  if (unknown !== undefined) {
    process.stderr.write(`error: no platform '${unknown}'; there are: host, ${names.join(", ")}\n`);
    process.exit(2);
  }
  const chosen = wanted.map((name) => name === "host" ? hostPlatform() : name as Platform);
  for (const platform of wanted.length === 0 ? names : chosen) {
    if (platform === undefined) throw new Error("Cannot build an executable for this machine");
    process.stdout.write(`${buildBinary(platform)}\n`);
  }
}
