import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { buildNpm } from "../../packaging/npm.ts";
import { ROOT, toolsEnv } from "../run_tools.mjs";

/** Where the tools of the project are. */
const TOOLS = join(ROOT, "node_modules", ".bin");

/** What a program printed, and its exit code. */
export interface Ended {
  code: number | null;
  output: string;
}

/** A directory in which the package is installed, and nothing else of the project. */
export interface Installed extends AsyncDisposable {
  /** Its path. */
  directory: string;
  /** The path of the package's archive. */
  archive: string;
  /** Runs a program in it, without the settings of the user. */
  run(command: string, ...args: string[]): Promise<Ended>;
  /** Starts a server in it, and resolves when it has printed its address. */
  serve(command: string, ...args: string[]): Promise<Serving>;
  /** Writes a file in it. */
  write(path: string, text: string): Promise<void>;
}

/** Builds and packs the package, and installs it in an empty directory with npm. */
export async function installPackage(): Promise<Installed> {
  const base = await mkdtemp(join(tmpdir(), "dispatch-install-"));
  const [built, directory, home] = ["built", "program", "home"].map((name) => join(base, name));
  for (const path of [directory!, home!]) await mkdir(path);
  buildNpm(built!);
  await expectSuccess(
    execute("npm", ["pack", "--silent", "--pack-destination", base, built!], base, process.env),
  );
  const archive = join(base, "dispatch-sdk.tgz");
  await expectSuccess(
    execute("sh", ["-c", `mv ${base}/dispatch-sdk-*.tgz ${archive}`], base, process.env),
  );
  const write = (path: string, text: string) => writeFile(join(directory!, path), text);
  await write("package.json", JSON.stringify({ name: "program", private: true, type: "module" }));
  // The dependencies were in npm's cache when the project was installed.
  const flags = ["--prefer-offline", "--no-audit", "--no-fund"];
  await expectSuccess(
    execute("npm", ["install", ...flags, archive], directory!, process.env),
  );
  const env = {
    ...toolsEnv(),
    HOME: home,
    XDG_CACHE_HOME: undefined,
    PATH: [join(directory!, "node_modules", ".bin"), toolsEnv().PATH].join(delimiter),
  };
  return {
    directory: directory!,
    archive,
    write,
    run: (command, ...args) => execute(command, args, directory!, env),
    serve: (command, ...args) => startServing(command, args, directory!, env),
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

/** The path of a tool of the project. */
export function tool(name: string): string {
  return join(TOOLS, name);
}

/** The path of the Node of a package: `node`, `node-24` or `node-20`. */
export function nodeOf(name: string): string {
  return join(ROOT, "node_modules", name, "bin", "node");
}

async function expectSuccess(running: Promise<Ended>): Promise<void> {
  const { code, output } = await running;
  if (code !== 0) throw new Error(`Cannot install the package: exit code ${code}\n${output}`);
}

/** A server that runs as a process of its own. */
export interface Serving extends AsyncDisposable {
  /** Its address, as clients need it. */
  url: string;
}

/** Starts a server, and resolves when it has printed its address. */
export function startServing(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string | undefined>,
): Promise<Serving> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const found = /\bws:\/\/[\w.:]+\/dwp\b/.exec(output);
        if (!found) return;
        resolve({
          url: found[0],
          async [Symbol.asyncDispose]() {
            child.kill();
            await ended;
          },
        });
      });
    }
    child.on("error", reject);
    child.on("close", (code) => reject(new Error(`it ended with ${code}: ${output}`)));
  });
}

/** Runs a program until it ends. */
export function execute(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string | undefined>,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => output += text);
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
