// Tests the shell commands of the pages. Those of the runner run in a folder with the files that
// the pages name. For other commands the tests check that the files and tasks they name exist.
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { InterruptedError } from "../../runner/events/deadline.ts";
import { systemClock } from "../../runtime/clock.ts";
import { startServer } from "../helpers/server.ts";
import { Collector } from "../report/_collector.ts";
import { filesBelow, readJson, ROOT } from "../project/sources.ts";
import { runnerCli } from "../runner/_cli.ts";
import { allBlocks, type Block } from "./pages.ts";

const blocks = await allBlocks();
const files = await filesBelow();
const { tasks } = await readJson<{ tasks: Record<string, unknown> }>("deno.json");

/** What starts the runner: installed, from the registry, or from a checkout. */
const RUNNER =
  /^((?:\w+=\S+ )*)(?:dispatch|(?:npx --yes deno@[\d.]+|deno) run -A (?:jsr:@dispatch\/sdk\/cli|runner\.ts))(?: |$)/;
/** Commands that end only with a signal, and the last that they print before they wait. */
const SERVE: Record<string, RegExp> = { dev: /For production use /, schedule: /first run at / };
/** Commands that need a server: the examples leave out where it is. */
const CALLS = new Set(["enqueue", "start", "publish", "get", "wait", "stats", "call", "tail"]);
/** The seeds of `explore`, whose tests in `tests/runner/explore` say what it finds with how many. */
const SEEDS = 50;
/** Commands that cannot run in a test, and why. */
const NOT_RUN: [RegExp, string][] = [
  [/^npm install( |$)/, "changes node_modules"],
  [/^deno (?:install -g|add) /, "needs the published package"],
  [/^(?:npm pack|npx dispatch|bun --bun) /, "tests/install does this"],
  [/^docker /, "needs Docker"],
  [/^(?:sha256sum|gh attestation) /, "needs a published release"],
  [/^git push /, "publishes a release"],
  [/ --reporter csv$/, "the reporter that the reader writes"],
  [/ --health health\.yaml/, "needs targets of its own; tests/health opens and tells them"],
  [/^curl .*\/faults/, "tests/dev/faults.test.ts sends this request"],
  [/^curl .*\/clock/, "tests/dev/clock_route.test.ts sends this request"],
];

/** The commands of a block, without comments; `\` joins lines. */
function commandsOf({ text }: Block): string[] {
  return text.replaceAll("\\\n", " ").split("\n")
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(" && "))
    .map((command) => command.trim().replaceAll(/\s+/g, " "))
    .filter((command) => command !== "");
}

/** Reads a command's words; quotes keep spaces, and `$TOKEN` is a variable of the reader. */
function wordsOf(command: string): string[] {
  return Array.from(
    command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, plain]) => (double ?? single ?? plain!).replace("$TOKEN", "demo-token"),
  );
}

interface Ended {
  code: number | null;
  output: string;
}

/** Runs the runner in the current folder. A command that serves is ended after its first output. */
async function runRunner(
  args: string[],
  env: Record<string, string>,
  serving?: RegExp,
): Promise<Ended> {
  const interrupt = new AbortController();
  let output = "";
  const onOutput = (text: string) => {
    output += text;
    if (serving?.test(output)) interrupt.abort(new InterruptedError("SIGTERM"));
  };
  const { code } = await runnerCli(args, {
    env,
    clock: systemClock,
    signal: interrupt.signal,
    onOut: onOutput,
    onErr: onOutput,
  });
  return { code, output };
}

/** Resolves when a process has ended. */
function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve, reject) => {
    let output = "";
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding("utf8").on("data", (text: string) => output += text);
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** Makes a folder that has what the pages name, and runs a function with its path. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-docs-"));
  try {
    await cp(join(ROOT, "recipes"), join(folder, "recipes"), { recursive: true });
    const readme = blocks.find(({ page, language }) => page === "README.md" && language === "yaml");
    await writeFile(join(folder, "order.yaml"), readme!.text);
    const hourly = `${readme!.text}schedule: { cron: "0 * * * *" }\n`;
    await writeFile(join(folder, "recipes/hourly.yaml"), hourly);
    await cp(join(ROOT, "recipes/order-smoke.yaml"), join(folder, "my-recipe.yaml"));
    const orders = blocks.find(({ page, language }) => page === "docs/dev.md" && language === "ts");
    const dev = pathToFileURL(join(ROOT, "dev/mod.ts")).href;
    await writeFile(join(folder, "orders.ts"), orders!.text.replace("@dispatch/sdk/dev", dev));
    const paid = blocks.find(({ page, language }) => page === "docs/dev.md" && language === "yaml");
    await writeFile(join(folder, "paid.yaml"), paid!.text);
    const jobs = `import { referenceWorkload } from ${
      JSON.stringify(dev)
    };\nexport default referenceWorkload();\n`;
    await writeFile(join(folder, "jobs.ts"), jobs);
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a command of the runner in the current folder. */
async function tryRunner(command: string): Promise<void> {
  const [prefix, variables] = RUNNER.exec(command)!;
  await using server = await startServer();
  const args = wordsOf(command.slice(prefix.length))
    .map((word) => word.replace(/^wss:\/\/dispatch\.example\.com\/dwp$/, server.url));
  await using collector = await Collector.start();
  const given = Object.fromEntries(variables!.trim().split(" ").map((pair) => pair.split("=")));
  const env = CALLS.has(args[0]!) ? { ...environment(server.url), ...given } : given;
  const traces = /otel/i.test(command);
  if (traces) env["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url;
  const serving = SERVE[args[0]!];
  if (args[0] === "dev") args.push("--port", "0");
  if (args[0] === "explore") args.push("--seeds", String(SEEDS));
  const { code, output } = await runRunner(args, env, serving);
  if (serving) match(output, serving);
  ok(code === 0, `${command}\nexit code ${code}\n${output}`);
  equal(collector.requests.length > 0, traces, command);
}

/** Whether a block is a script, whose commands depend on each other. */
function isScript({ text }: Block): boolean {
  return /\$\(|\| (?:jq|dispatch)\b/.test(text);
}

/** Runs a block with a shell, for which `dispatch` is the runner. */
async function tryScript(folder: string, { text }: Block): Promise<void> {
  await using server = await startServer();
  const runner = `deno run -A --no-check --config '${join(ROOT, "deno.json")}' '${
    join(ROOT, "runner.ts")
  }'`;
  await writeFile(join(folder, "dispatch"), `#!/bin/sh\nexec ${runner} "$@"\n`, { mode: 0o755 });
  const PATH = [folder, dirname(process.execPath), process.env.PATH].join(":");
  const env = { ...process.env, NO_COLOR: "1", PATH, ...environment(server.url) };
  const { code, output } = await ended(spawn("sh", ["-euc", text], { cwd: folder, env }));
  ok(code === 0, `${text}\nexit code ${code}\n${output}`);
}

/** The variables that name the server. */
function environment(url: string): Record<string, string> {
  return { DISPATCH_URL: url, DISPATCH_TOKEN: "demo-token" };
}

/** Checks that the files and tasks in a command exist. */
function checkNames(command: string): void {
  const words = command.split(" ").filter((word) => !word.startsWith("-"));
  const isThere = (path: string) => files.some((file) => file.includes(path));
  if (words[0] === "npm") {
    deepEqual(words.slice(0, 2), ["npm", "test"], command);
    const parts = ["deno", "bun", "node", "leaks", "browser", "install", "checks"];
    for (const word of words.slice(2)) ok(parts.includes(word) || isThere(word), command);
    return;
  }
  if (words[0] === "npx") words.shift();
  if (words[0] === "deno" && words[1] === "task") {
    ok(words[2]! in tasks, command);
    // Each kind of generated files is a function; others take numbers, an address, a platform or a version.
    if (/^(?:update|simulate.*|differential.*|binary|release)$/.test(words[2]!)) return;
    for (const word of words.slice(3)) ok(isThere(word.split(":")[0]!), command);
    return;
  }
  const paths = words[0] === "node" ? words.slice(1) : words.slice(2);
  ok(["bun", "deno", "node"].includes(words[0]!) && paths.length > 0, `unknown: ${command}`);
  for (const path of paths) ok(isThere(path), command);
}

const shell = blocks.filter(({ language }) => language === "sh");
/** `tests/runner/docs.test.ts` runs the commands of this page on all runtimes. */
const RUN_ELSEWHERE = "docs/recipes.md";

for (const block of shell) {
  if (isScript(block)) {
    // Scripts need a shell and `jq`.
    if (!("Deno" in globalThis) || spawnSync("jq", ["--version"]).status !== 0) continue;
    test(`${block.page} line ${block.line}: the script works`, () =>
      inFolder((folder) => tryScript(folder, block)));
    continue;
  }
  const commands = commandsOf(block)
    .filter((command) => !NOT_RUN.some(([pattern]) => pattern.test(command)));
  const ours = commands.filter((command) => RUNNER.test(command));
  const others = commands.filter((command) => !RUNNER.test(command));
  const place = `${block.page} line ${block.line}`;
  if (others.length > 0) {
    test(`${place} names files, tasks and test suites that exist`, () =>
      others.forEach(checkNames));
  }
  // The commands are Deno's; the runner itself is tested on all runtimes elsewhere.
  if (ours.length === 0 || block.page === RUN_ELSEWHERE || !("Deno" in globalThis)) continue;
  test(`${place}: the commands of the runner work`, () =>
    inFolder(async (folder) => {
      const before = process.cwd();
      process.chdir(folder);
      try {
        for (const command of ours) await tryRunner(command);
      } finally {
        process.chdir(before);
      }
    }));
}

test("every command is run, or a reason is given", () => {
  ok(shell.length > 10);
  const all = shell.flatMap(commandsOf);
  for (const [pattern, reason] of NOT_RUN) ok(all.some((each) => pattern.test(each)), reason);
});

test("examples in TypeScript are run, apart from those that a test compares with a file", () => {
  const ignored = blocks.filter(({ language }) => language.startsWith("ts "));
  deepEqual(ignored.map(({ page }) => page), [
    "docs/dev.md",
    "docs/protocol.md",
    "docs/testing.md",
  ]);
});

test("pages use only languages whose examples are run or checked", () => {
  const programs = ["sh", "ts", "ts ignore", "yaml"];
  const texts = ["", "csv", "json", "jsonc", "mermaid", "text"];
  // `tests/fleet/cron.ts` runs the package in Go.
  const others = blocks.filter(({ page, language }) =>
    page === "docs/cron.md" && language === "go"
  );
  equal(others.length, 1);
  const known = [...programs, ...texts];
  const unknown = blocks.filter((block) =>
    !known.includes(block.language) && !others.includes(block)
  );
  deepEqual(unknown.map(({ page, line, language }) => `${page}:${line} ${language}`), []);
});

test("recipes in YAML are on pages whose tests run them", () => {
  const pages = new Set(
    blocks.filter(({ language }) => language === "yaml").map(({ page }) => page),
  );
  // The workflow of docs/install.md is checked by the tests of the action, and the settings of
  // docs/health.md by those of health checks.
  const named = ["README.md", "docs/dev.md", "docs/health.md", "docs/install.md"];
  deepEqual([...pages], [...named, "docs/recipes.md"]);
  // The README's recipe is `order.yaml` of its commands, that of the other page `paid.yaml`.
  for (const name of ["README.md", "docs/dev.md"]) {
    const here = blocks.filter(({ page, language }) => page === name && language === "yaml");
    equal(here.length, 1);
  }
});
