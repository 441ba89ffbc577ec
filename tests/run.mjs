// Runs all tests and checks: `npm test`. Arguments choose parts, and test files by a piece of their
// path: `npm test -- deno`, `npm test -- checks`, `npm test -- bun replay`. This file is JavaScript,
// so that it starts with any version of Node.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { findChromium, NO_CHROMIUM } from "./run_chromium.mjs";
import { readJunit } from "./run_junit.mjs";
import { installTools, ROOT, toolsEnv } from "./run_tools.mjs";

/** Milliseconds that one test file may take, and one check. */
const FILE_LIMIT = 90_000;
const CHECK_LIMIT = 180_000;
/** Milliseconds between two lines that report progress. */
const PROGRESS_INTERVAL = 10_000;
/** Files that run alone: they are about processes, outages or deadlines, or use both cores. */
const ALONE = /faults|signals|exit|process|_cli|watch|schedule|simulation|console_live|browser/;
/** How many other files run at a time, and how many checks. */
const AT_ONCE = 2;
/** How many files a part names as its slowest. */
const SLOWEST = 5;
const PART_NAMES = ["deno", "bun", "node", "leaks", "browser", "install", "checks"];
/** The tasks of deno.json that the checks run. */
const CHECKS = ["format", "lint", "check", "examples", "package"];

const reports = mkdtempSync(join(tmpdir(), "dispatch-tests-"));
const children = new Set();
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

function secondsSince(start) {
  return seconds(Date.now() - start);
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

function filesToTest(ending) {
  return filesBelow("./tests", ending)
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
}

/** Runs a command until it exits or `limit` milliseconds have passed. */
function run(command, commandArgs, limit) {
  return new Promise((resolve) => {
    const child = spawn(command, commandArgs, {
      cwd: ROOT,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: process.platform !== "win32",
    });
    children.add(child);
    let output = "";
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      kill(child);
    }, limit);
    const append = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", append);
    child.stderr.setEncoding("utf8").on("data", append);
    const end = (problem) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ output, problem });
    };
    child.on("error", (error) => end(`did not start: ${error.message}`));
    child.on("close", (code, signal) => {
      // Processes that a test started and left running would disturb the next test.
      kill(child);
      if (timedOut) end(`did not end within ${limit / 1000} s`);
      else end(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

function kill(child) {
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // The process has ended already.
  }
}

/**
 * Runs each test file in a process of its own, so that one which hangs or crashes does not stop the
 * others. The counts come from the JUnit reports, never from what the runtime prints.
 */
async function runTests(part, command, files, argsFor) {
  if (files.length === 0) return undefined;
  const start = Date.now();
  const total = { part, passed: 0, failed: 0, skipped: 0 };
  print(`${part}: ${files.length} files`);
  const times = [];
  let current = "";
  const progress = setInterval(
    () => print(`${part}: ${total.passed} passed, now in ${current}, ${secondsSince(start)}`),
    PROGRESS_INTERVAL,
  );
  const runFile = async ([index, file]) => {
    current = file;
    const report = join(reports, `${part}-${index}.xml`);
    const fileStart = Date.now();
    const { output, problem } = await run(command, argsFor(report, file), FILE_LIMIT);
    times.push({ file, ms: Date.now() - fileStart });
    const result = count(report, problem);
    for (const { name, text } of result.failures) {
      print(`\n--- ${part}: ${file}: ${name}\n${head(text)}`);
    }
    // Only the runtime's own output explains why a file cannot be loaded.
    if (result.needsOutput) print(`\n--- ${part}: ${file}: the end of its output\n${tail(output)}`);
    total.passed += result.passed;
    total.failed += result.failures.length;
    total.skipped += result.skipped;
  };
  const entries = [...files.entries()];
  const together = entries.filter(([, file]) => !ALONE.test(file)).values();
  const runSome = async () => {
    for (const entry of together) await runFile(entry);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  for (const entry of entries) if (ALONE.test(entry[1])) await runFile(entry);
  clearInterval(progress);
  const { passed, failed, skipped } = total;
  if (files.length > SLOWEST) {
    const slowest = times.sort((a, b) => b.ms - a.ms).slice(0, SLOWEST);
    print(
      `${part}: slowest ${slowest.map(({ file, ms }) => `${file} ${seconds(ms)}`).join(", ")}`,
    );
  }
  print(`${part}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${secondsSince(start)}`);
  return total;
}

/** Counts the tests in a report. A run that ended badly without a failed test is a failure too. */
function count(report, problem) {
  let cases = [];
  const failures = [];
  try {
    cases = readJunit(readFileSync(report, "utf8"));
    // Node reports a file without tests, and one that crashed, as a test with the file's name.
    if (cases.every(({ outcome, name }) => outcome !== "failed" && name.endsWith(".ts"))) {
      cases = [];
    }
    if (cases.length === 0) failures.push({ name: "no test was reported", text: problem ?? "" });
  } catch (error) {
    const text = `${error.message}\n${problem ?? ""}`;
    failures.push({ name: "the JUnit report cannot be read", text });
  }
  const failed = cases.filter(({ outcome }) => outcome === "failed");
  if (problem !== undefined && failed.length + failures.length === 0) {
    failures.push({ name: "the test process", text: problem });
  }
  const needsOutput = failures.length > 0 || failed.some(({ name }) => name.endsWith(".ts"));
  return {
    failures: [...failed, ...failures],
    needsOutput,
    passed: cases.filter(({ outcome }) => outcome === "passed").length,
    skipped: cases.filter(({ outcome }) => outcome === "skipped").length,
  };
}

/** The start of a failure's text: Node repeats all properties of the error after the stack. */
function head(text) {
  const lines = text.trim().split("\n");
  return lines.slice(0, 30).join("\n") + (lines.length > 30 ? "\n…" : "");
}

function tail(output) {
  const lines = output.trimEnd().split("\n");
  return lines.slice(-80).join("\n");
}

const denoArgs = (...flags) => (report, file) => [
  "test",
  "-A",
  "--no-check",
  `--junit-path=${report}`,
  ...flags,
  file,
];

const bunArgs = (report, file) => [
  "test",
  "--timeout=60000",
  "--reporter=junit",
  `--reporter-outfile=${report}`,
  file,
];

const nodeArgs = (report, file) => [
  "--test",
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  "--test-reporter=junit",
  `--test-reporter-destination=${report}`,
  file,
];

const PARTS = {
  deno: () => runTests("deno", "deno", filesToTest(".test.ts"), denoArgs()),
  bun: () => runTests("bun", "bun", filesToTest(".test.ts"), bunArgs),
  node: () => runTests("node", "node", filesToTest(".test.ts"), nodeArgs),
  // Only Deno finds operations and resources that a test leaves behind, and only with `Deno.test`.
  leaks: () => {
    const flags = ["--sanitize-ops", "--sanitize-resources"];
    return runTests("leaks", "deno", filesToTest(".deno_test.ts"), denoArgs(...flags));
  },
  browser: runBrowserTests,
  // The package, installed where nothing else of the project is.
  install: () => runTests("install", "node", filesToTest(".install_test.ts"), nodeArgs),
  checks: runChecks,
};

/** Runs the browser tests with Node. Without Chromium they fail in CI and where they were asked for. */
function runBrowserTests() {
  const files = filesToTest(".browser_test.ts");
  if (files.length === 0 || findChromium() !== undefined) {
    return runTests("browser", "node", files, nodeArgs);
  }
  const isOptional = !wanted.includes("browser") && !["true", "1"].includes(process.env.CI);
  print(`browser: ${isOptional ? "not run" : "failed"}: ${NO_CHROMIUM}`);
  return isOptional ? undefined : { part: "browser", passed: 0, failed: 1, skipped: 0 };
}

async function runChecks() {
  const results = [];
  const report = (name, problem, output, start) => {
    print(`checks: ${name} ${problem ?? "passed"}, ${secondsSince(start)}`);
    if (problem !== undefined) print(tail(output));
    results.push(problem === undefined);
  };
  const names = CHECKS.values();
  const runSome = async () => {
    for (const name of names) {
      const start = Date.now();
      const { output, problem } = await run("deno", ["task", name], CHECK_LIMIT);
      report(name, problem, output, start);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  if (treeBefore !== undefined) {
    const start = Date.now();
    const tree = workTree();
    const isSame = tree.digest === treeBefore.digest;
    report("clean tree", isSame ? undefined : "failed: this run changed files", tree.status, start);
  }
  const passed = results.filter((hasPassed) => hasPassed).length;
  return { part: "checks", passed, failed: results.length - passed, skipped: 0 };
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
    for (const child of children) kill(child);
    rmSync(reports, { recursive: true, force: true });
    process.exit(130);
  });
}

const treeBefore = workTree();
installTools();
const start = Date.now();
const results = [];
// Parts run one after another, since some of their files need both cores.
for (const name of PART_NAMES) {
  // A filter chooses test files, so it leaves out the checks unless they are asked for.
  const isWanted = wanted.length > 0
    ? wanted.includes(name)
    : filters.length === 0 || name !== "checks";
  const result = isWanted ? await PARTS[name]() : undefined;
  if (result !== undefined) results.push(result);
}
rmSync(reports, { recursive: true, force: true });

if (sum(results, "passed") + sum(results, "failed") === 0) {
  results.push({ part: "none", passed: 0, failed: 1, skipped: 0 });
  print(`nothing was run: no test file's path contains ${filters.join(" or ")}`);
}
print(
  `\n${"".padEnd(8)}${["passed", "failed", "skipped"].map((name) => name.padStart(9)).join("")}`,
);
for (const { part, passed, failed, skipped } of results) {
  const numbers = [passed, failed, skipped].map((n) => String(n).padStart(9)).join("");
  print(part.padEnd(8) + numbers);
}
print(`${secondsSince(start)}\n`);
const failed = sum(results, "failed");
process.exitCode = failed > 0 ? 1 : 0;
print(`${sum(results, "passed")} passed, ${failed} failed`);
