// Runs all tests and checks: `npm test`. Arguments choose parts, and test files by a piece of their
// path: `npm test -- deno`, `npm test -- checks`, `npm test -- bun replay`. This file is JavaScript,
// so that it starts with any version of Node.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findChromium, NO_CHROMIUM } from "./run_chromium.mjs";
import { groupFiles, runFiles, RUNTIMES, tail } from "./run_files.mjs";
import { killAll, run } from "./run_process.mjs";
import { installTools, ROOT, toolsEnv } from "./run_tools.mjs";

/** Milliseconds that what builds or checks all may take: an installation, a check. */
const LONG_LIMIT = 180_000;
/** Milliseconds between two lines that report progress. */
const PROGRESS_INTERVAL = 10_000;
/** How many files and checks run at a time: one more than there are cores, since some only wait. */
const AT_ONCE = availableParallelism() + 1;
/** How many files are named as the slowest. */
const SLOWEST = 10;
/** The parts in the order in which they begin: what takes long first, so that no core idles at the end. */
const PART_NAMES = ["checks", "install", "browser", "leaks", "deno", "node", "bun"];
/** The tasks of deno.json that the checks run. */
const CHECKS = ["format", "lint", "check", "examples", "package"];

const reports = mkdtempSync(join(tmpdir(), "dispatch-tests-"));
// Node removes the types of a module once for all test files, and not in each process anew.
const env = { ...toolsEnv(), NODE_COMPILE_CACHE: join(reports, "compiled") };

const args = process.argv.slice(2);
const wanted = args.filter((arg) => PART_NAMES.includes(arg));
const filters = args.filter((arg) => !PART_NAMES.includes(arg));

function print(text) {
  process.stdout.write(text + "\n");
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The files in a folder and its subfolders whose name ends with `ending`, as `./tests/…`, sorted. */
function filesBelow(folder, ending) {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { withFileTypes: true })
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap((entry) => {
      const below = `${folder}/${entry.name}`;
      if (entry.isDirectory()) return filesBelow(below, ending);
      return entry.name.endsWith(ending) ? [below] : [];
    });
}

/** Makes a job of each group of test files, or of each file. */
function testJobs(part, runtime, ending, { shared = false, limit = undefined } = {}) {
  const files = filesBelow("./tests", ending)
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  return (shared ? groupFiles(files) : files.map((file) => [file])).map((group, index) => {
    const report = join(reports, `${part}-${index}.xml`);
    const more = group.length > 1 ? ` and ${group.length - 1} more` : "";
    const run = () => runFiles(RUNTIMES[runtime], group, report, env, limit);
    return { part, name: group[0] + more, files: group.length, run };
  });
}

/** The jobs of each part. */
const PARTS = {
  checks: () =>
    CHECKS.map((name) => ({ part: "checks", name, files: 1, run: () => runCheck(name) })),
  // The package, installed where nothing else of the project is.
  install: () => testJobs("install", "node", ".install_test.ts", { limit: LONG_LIMIT }),
  browser: browserJobs,
  leaks: () => testJobs("leaks", "leaks", ".deno_test.ts"),
  deno: () => testJobs("deno", "deno", ".test.ts", { shared: true }),
  node: () => testJobs("node", "node", ".test.ts", { shared: true }),
  bun: () => testJobs("bun", "bun", ".test.ts", { shared: true }),
};

async function runCheck(name) {
  const { output, problem } = await run("deno", ["task", name], env, LONG_LIMIT);
  return checked(name, problem, output);
}

/** The result of a check. */
function checked(name, problem, output) {
  return problem === undefined
    ? { passed: 1, failed: 0, skipped: 0, texts: [] }
    : { passed: 0, failed: 1, skipped: 0, texts: [`${name}: ${problem}\n${tail(output)}`] };
}

/** The browser tests run with Node. Without Chromium they fail in CI and where they were asked for. */
function browserJobs() {
  const jobs = testJobs("browser", "node", ".browser_test.ts");
  if (jobs.length === 0 || findChromium() !== undefined) return jobs;
  if (wanted.includes("browser") || ["true", "1"].includes(process.env.CI)) {
    const run = () => checked("Chromium", "is missing", NO_CHROMIUM);
    return [{ part: "browser", name: "Chromium", files: 1, run }];
  }
  print(`browser: not run: ${NO_CHROMIUM}`);
  return [];
}

/** Runs jobs side by side, and returns their results. */
async function runJobs(jobs) {
  const start = Date.now();
  const results = [];
  const current = new Set();
  const report = () =>
    `${sum(results, "files")} of ${sum(jobs, "files")} files and checks, ${
      sum(results, "passed")
    } tests passed, ` +
    `${sum(results, "failed")} failed, ${seconds(Date.now() - start)}`;
  const progress = setInterval(() => {
    const names = [...current].map(({ part, name }) => `${part} ${name}`);
    print(`${report()}, now in ${names.join(", ")}`);
  }, PROGRESS_INTERVAL);
  const queue = jobs.values();
  const runSome = async () => {
    for (const job of queue) {
      const jobStart = Date.now();
      current.add(job);
      const result = { ...job, ...await job.run(), ms: Date.now() - jobStart };
      current.delete(job);
      results.push(result);
      for (const name of result.seeds ?? []) print(`${job.part}: ${name}`);
      for (const text of result.texts) print(`\n--- ${job.part}: ${text}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  clearInterval(progress);
  const slowest = results.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  print(`${report()}\nslowest:`);
  for (const { part, name, ms } of slowest) print(`  ${seconds(ms).padStart(7)} ${part} ${name}`);
  return results;
}

/** What Git says about changed files. Undefined outside of a Git repository. */
function workTree() {
  const git = (...gitArgs) =>
    spawnSync("git", gitArgs, { cwd: ROOT, encoding: "utf8", maxBuffer: 1e9 });
  const { status: code, stdout: status } = git("status", "--porcelain");
  if (code !== 0) return undefined;
  const { stdout: diff } = git("diff", "HEAD");
  return { status, digest: createHash("sha256").update(status).update(diff).digest("hex") };
}

function sum(results, key) {
  return results.reduce((total, result) => total + result[key], 0);
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    killAll();
    rmSync(reports, { recursive: true, force: true });
    process.exit(130);
  });
}

const treeBefore = workTree();
installTools();
// A filter chooses test files, so it leaves out the checks unless they are asked for.
const parts = PART_NAMES.filter((name) =>
  wanted.length > 0 ? wanted.includes(name) : filters.length === 0 || name !== "checks"
);
const jobs = parts.flatMap((name) => PARTS[name]());
const start = Date.now();
const results = await runJobs(jobs);
rmSync(reports, { recursive: true, force: true });

if (parts.includes("checks") && treeBefore !== undefined) {
  const tree = workTree();
  const isSame = tree.digest === treeBefore.digest;
  const result = checked("clean tree", isSame ? undefined : "this run changed files", tree.status);
  for (const text of result.texts) print(`\n--- checks: ${text}`);
  results.push({ part: "checks", ms: 0, ...result });
}
if (results.length === 0) {
  results.push({ part: "none", passed: 0, failed: 1, skipped: 0, ms: 0 });
  print(`nothing was run: no test file's path contains ${filters.join(" or ")}`);
}

const columns = ["passed", "failed", "skipped"];
print(`\n${"".padEnd(8)}${[...columns, "time"].map((name) => name.padStart(9)).join("")}`);
for (const part of new Set(results.map((result) => result.part))) {
  const ofPart = results.filter((result) => result.part === part);
  const numbers = columns.map((name) => String(sum(ofPart, name)).padStart(9)).join("");
  print(part.padEnd(8) + numbers + seconds(sum(ofPart, "ms")).padStart(9));
}
print(`${seconds(Date.now() - start)}\n`);
const failed = sum(results, "failed");
process.exitCode = failed > 0 ? 1 : 0;
print(`${sum(results, "passed")} passed, ${failed} failed`);
