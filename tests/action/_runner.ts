import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { ROOT } from "../project/sources.ts";

/** A step of a composite action. */
export interface Step {
  id?: string;
  if?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, string>;
  "working-directory"?: string;
}

/** What `action.yml` says. */
export interface Action {
  inputs: Record<string, { description: string; default?: string }>;
  outputs: Record<string, { description: string; value: string }>;
  runs: { using: string; steps: Step[] };
}

/** What a step, or the action, has done. */
export interface Result {
  code: number | null;
  /** What it printed. */
  log: string;
  /** The outputs of the action. */
  outputs: Record<string, string>;
  /** The outputs of its steps: `install.executable`. */
  steps: Record<string, string>;
}

/** A job of GitHub that uses the action: a checkout, and the files through which steps talk. */
export interface Job extends AsyncDisposable {
  /** The directory of the checkout. */
  workspace: string;
  /** Writes a program in the directory of the job, and returns its path. */
  writeProgram(name: string, script: string): Promise<string>;
  /** Runs the scripts of the action with some inputs; the others have their defaults. */
  use(inputs: Record<string, string>, options?: UseOptions): Promise<Result>;
  /** Reads one of the files that a job has, such as `GITHUB_PATH`. */
  file(name: (typeof FILES)[number]): Promise<string>;
}

/** Settings of {@linkcode Job.use}. */
export interface UseOptions {
  /** More variables, such as those of the job. */
  env?: Record<string, string>;
  /** The ids of the steps to run; all by default. */
  steps?: string[];
  /** The signal for a step that prints "ready". */
  signal?: "SIGINT" | "SIGTERM";
}

const FILES = ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"] as const;

/** Reads `action.yml`. */
export async function readAction(): Promise<Action> {
  return parse(await readFile(join(ROOT, "action.yml"), "utf8"));
}

/** Starts a job with an empty checkout. */
export async function startJob(): Promise<Job> {
  const base = await mkdtemp(join(tmpdir(), "dispatch-action-"));
  const [workspace, temporary] = ["workspace of a job", "temp"].map((name) => join(base, name));
  for (const path of [workspace!, temporary!]) await mkdir(path);
  const files = Object.fromEntries(FILES.map((name) => [name, join(base, name)]));
  const action = await readAction();
  return {
    workspace: workspace!,
    async writeProgram(name, script) {
      const path = join(base, name);
      await writeFile(path, script);
      await chmod(path, 0o755);
      return path;
    },
    file: (name) => readFile(files[name]!, "utf8"),
    async use(given, { env = {}, steps: wanted, signal } = {}) {
      const inputs = Object.entries(action.inputs)
        .map(([name, input]) => [`inputs.${name}`, given[name] ?? input.default ?? ""]);
      const context: Record<string, string> = Object.fromEntries(inputs);
      const result: Result = { code: 0, log: "", outputs: {}, steps: {} };
      for (const step of action.runs.steps) {
        const { id, run } = step;
        // Steps of other actions, such as that of the cache, run on GitHub only.
        if (run === undefined || id === undefined || wanted && !wanted.includes(id)) continue;
        for (const file of Object.values(files)) await writeFile(file, "", { flag: "a" });
        await writeFile(files.GITHUB_OUTPUT!, "");
        const variables = Object.entries(step.env ?? {})
          .map(([name, text]) => [name, evaluate(text, context)]);
        const { code, log } = await runStep(run, {
          cwd: join(workspace!, evaluate(step["working-directory"] ?? ".", context)),
          env: {
            ...runnerEnv(workspace!, temporary!),
            ...files,
            ...env,
            ...Object.fromEntries(variables),
          },
          signal,
        });
        const outputs = readOutputs(await readFile(files.GITHUB_OUTPUT!, "utf8"));
        for (const [name, value] of Object.entries(outputs)) {
          context[`steps.${id}.outputs.${name}`] = value;
          result.steps[`${id}.${name}`] = value;
        }
        result.log += log;
        result.code = code;
        if (code !== 0) break;
      }
      for (const [name, { value }] of Object.entries(action.outputs)) {
        result.outputs[name] = evaluate(value, context);
      }
      return result;
    },
    [Symbol.asyncDispose]: () => rm(base, { recursive: true, force: true }),
  };
}

/** The variables of a runner; nothing of this machine's but where programs are. */
function runnerEnv(workspace: string, temporary: string): Record<string, string> {
  return {
    PATH: process.env.PATH!,
    HOME: temporary,
    CI: "true",
    GITHUB_ACTIONS: "true",
    GITHUB_ACTION_PATH: ROOT.replace(/\/$/, ""),
    GITHUB_REPOSITORY: "octo/orders",
    GITHUB_SERVER_URL: "https://github.invalid",
    GITHUB_WORKSPACE: workspace,
    RUNNER_ARCH: "X64",
    RUNNER_OS: "Linux",
    RUNNER_TEMP: temporary,
  };
}

/** Replaces the expressions in a text as GitHub does: what is unknown is empty. */
function evaluate(text: string, context: Record<string, string>): string {
  return text.replaceAll(/\$\{\{ *([\w.-]+) *\}\}/g, (_, name) => context[name] ?? "");
}

/** Runs the script of a step as `shell: bash` does. */
function runStep(
  script: string,
  { cwd, env, signal }: {
    cwd: string;
    env: Record<string, string>;
    signal: "SIGINT" | "SIGTERM" | undefined;
  },
): Promise<{ code: number | null; log: string }> {
  return new Promise((resolve, reject) => {
    const args = ["--noprofile", "--norc", "-eo", "pipefail", "-c", script];
    const child = spawn("bash", args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        log += text;
        // GitHub sends the signal to the shell alone. After `child.kill` Deno would report the signal.
        if (signal && text.includes("ready")) process.kill(child.pid!, signal);
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, log }));
  });
}

/** Reads the file `GITHUB_OUTPUT` as GitHub's runner does: `name=value`, or a value with an end. */
function readOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split("\n");
  while (lines.length > 0) {
    const line = lines.shift()!;
    if (line === "") continue;
    const [, name, separator, rest] = /^(.*?)(=|<<)(.*)$/.exec(line) ?? [];
    if (name === undefined || name === "") throw new Error(`not an output: ${line}`);
    if (separator === "=") {
      outputs[name] = rest!;
      continue;
    }
    const end = lines.indexOf(rest!);
    if (end === -1) throw new Error(`the output ${name} has no end`);
    outputs[name] = lines.splice(0, end + 1).slice(0, -1).join("\n");
  }
  return outputs;
}
