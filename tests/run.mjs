// Runs the whole suite: `npm test`, `npm test -- deno`, `npm test -- checks`, `npm test -- bun replay`
// (a part, then a piece of a file's path). Plain JavaScript, so that whatever Node runs it can.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findChromium, NO_CHROMIUM } from "./run_chromium.mjs";
import { readJunit } from "./run_junit.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** For one file or one check, in milliseconds. */
const TIME_LIMIT = 90_000;
const HEARTBEAT = 10_000;
const PART_NAMES = ["deno", "bun", "node", "leaks", "browser", "checks"];

const reports = mkdtempSync(join(tmpdir(), "dispatch-tests-"));
const children = new Set();
const env = {
  ...process.env,
  PATH: join(ROOT, "node_modules", ".bin") + delimiter + process.env.PATH,
  NO_COLOR: "1",
  DENO_NO_UPDATE_CHECK: "1",
};
// A colour forced by the caller would win over NO_COLOR in some of the tools.
delete env.FORCE_COLOR;

const args = process.argv.slice(2);
const wanted = args.filter((arg) => PART_NAMES.includes(arg));
const filters = args.filter((arg) => !PART_NAMES.includes(arg));

function say(text) {
  process.stdout.write(text + "\n");
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

/** The files below a folder whose name ends so, as `./tests/…`, sorted. */
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

/** Runs a command to its end, or to the time limit. */
function run(command, commandArgs) {
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
    }, TIME_LIMIT);
    const take = (chunk) => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    const end = (problem) => {
      clearTimeout(timer);
      children.delete(child);
      resolve({ output, problem });
    };
    child.on("error", (error) => end(`did not start: ${error.message}`));
    child.on("close", (code, signal) => {
      // What a test left running in the background must not outlive its part.
      kill(child);
      if (timedOut) end(`was stopped after ${TIME_LIMIT / 1000} s`);
      else end(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

function kill(child) {
  try {
    if (process.platform === "win32") child.kill();
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/**
 * Runs test files with a runtime, each in a process of its own: one that hangs or breaks down takes
 * no other with it. The numbers come from the JUnit reports alone.
 */
async function runTests(part, command, files, argsFor) {
  if (files.length === 0) return undefined;
  const start = Date.now();
  const total = { part, passed: 0, failed: 0, skipped: 0 };
  say(`${part}: ${files.length} files`);
  let current = "";
  const heartbeat = setInterval(
    () => say(`${part}: ${total.passed} passed, at ${current}, ${seconds(start)}`),
    HEARTBEAT,
  );
  for (const [index, file] of files.entries()) {
    current = file;
    const report = join(reports, `${part}-${index}.xml`);
    const { output, problem } = await run(command, argsFor(report, file));
    const result = count(report, problem);
    for (const { name, text } of result.failures) {
      say(`\n--- ${part}: ${file}: ${name}\n${head(text)}`);
    }
    // A file that cannot be loaded is explained by the runtime's own output only.
    if (result.needsOutput) say(`\n--- ${part}: ${file}: the end of its output\n${tail(output)}`);
    total.passed += result.passed;
    total.failed += result.failures.length;
    total.skipped += result.skipped;
  }
  clearInterval(heartbeat);
  const { passed, failed, skipped } = total;
  say(`${part}: ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds(start)}`);
  return total;
}

function count(report, problem) {
  let cases = [];
  const failures = [];
  try {
    cases = readJunit(readFileSync(report, "utf8"));
    // Node reports a file in which no test was, or which broke down, as if it were a test itself.
    if (cases.every(({ outcome, name }) => outcome !== "failed" && name.endsWith(".ts"))) {
      cases = [];
    }
    if (cases.length === 0) failures.push({ name: "no test was reported", text: problem ?? "" });
  } catch (error) {
    const text = `no report that can be read: ${error.message}\n${problem ?? ""}`;
    failures.push({ name: "the report", text });
  }
  const failed = cases.filter(({ outcome }) => outcome === "failed");
  if (problem !== undefined && failed.length + failures.length === 0) {
    failures.push({ name: "the run", text: problem });
  }
  const needsOutput = failures.length > 0 || failed.some(({ name }) => name.endsWith(".ts"));
  return {
    failures: [...failed, ...failures],
    needsOutput,
    passed: cases.filter(({ outcome }) => outcome === "passed").length,
    skipped: cases.filter(({ outcome }) => outcome === "skipped").length,
  };
}

/** Node repeats a failure's every property after its stack. */
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
  // Deno alone can tell that a test left an operation or a resource behind, and only for `Deno.test`.
  leaks: () => {
    const flags = ["--sanitize-ops", "--sanitize-resources"];
    return runTests("leaks", "deno", filesToTest(".deno_test.ts"), denoArgs(...flags));
  },
  browser: runBrowserTests,
  checks: runChecks,
};

/** Node drives the browser. Who has none is told so, and fails only where it was asked for. */
function runBrowserTests() {
  const files = filesToTest(".browser_test.ts");
  if (files.length === 0 || findChromium() !== undefined) {
    return runTests("browser", "node", files, nodeArgs);
  }
  const isOptional = !wanted.includes("browser") && !["true", "1"].includes(process.env.CI);
  say(`browser: ${isOptional ? "not run" : "failed"}: ${NO_CHROMIUM}`);
  return isOptional ? undefined : { part: "browser", passed: 0, failed: 1, skipped: 0 };
}

async function runChecks() {
  const { exports } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));
  const entryPoints = Object.values(exports);
  const sources = ["./runner.ts", "./tests", "./bench", "./recipes"].filter((path) =>
    path.endsWith(".ts") ? existsSync(join(ROOT, path)) : filesBelow(path, ".ts").length > 0
  );
  const rooms = ["./client", "./dev", "./protocol", "./runner", "./runtime", "./testing"];
  // Not whole programs: the shapes of frames, and a test that imports a workflow of the reader's.
  const excerpts = ["./docs/protocol.md", "./docs/dev.md"];
  const pages = ["./README.md", ...filesBelow("./docs", ".md")]
    .filter((path) => !excerpts.includes(path));
  const checks = {
    "deno fmt": ["fmt", "--check"],
    "deno lint": ["lint"],
    "deno check": ["check", ...entryPoints, ...sources],
    // A browser's types are another world, so the page of the HTML report is looked at by itself.
    "deno check page": ["check", "./runner/report/html/page/main.ts"],
    "deno doc --lint": ["doc", "--lint", ...entryPoints],
    "deno test --doc": ["test", "--doc", "--no-run", "./mod.ts", ...rooms, ...pages],
    "deno publish": ["publish", "--dry-run", "--allow-dirty"],
  };
  let failed = 0;
  for (const [name, commandArgs] of Object.entries(checks)) {
    const start = Date.now();
    const { output, problem } = await run("deno", commandArgs);
    say(`checks: ${name} ${problem ?? "passed"}, ${seconds(start)}`);
    if (problem === undefined) continue;
    failed++;
    say(tail(output));
  }
  return { part: "checks", passed: Object.keys(checks).length - failed, failed, skipped: 0 };
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

const start = Date.now();
const results = [];
// One part after another: with two at once the clocks that tests look at become unreliable.
for (const name of PART_NAMES) {
  // A filter names files; the checks look at all of them.
  const isWanted = wanted.length > 0
    ? wanted.includes(name)
    : filters.length === 0 || name !== "checks";
  const result = isWanted ? await PARTS[name]() : undefined;
  if (result !== undefined) results.push(result);
}
rmSync(reports, { recursive: true, force: true });

if (sum(results, "passed") + sum(results, "failed") === 0) {
  results.push({ part: basename(import.meta.url), passed: 0, failed: 1, skipped: 0 });
  say(`nothing was run: no test file matches ${filters.join(" ")}`);
}
say(`\n${"".padEnd(8)}${["passed", "failed", "skipped"].map((name) => name.padStart(9)).join("")}`);
for (const { part, passed, failed, skipped } of results) {
  const numbers = [passed, failed, skipped].map((n) => String(n).padStart(9)).join("");
  say(part.padEnd(8) + numbers);
}
say(`${seconds(start)}\n`);
const failed = sum(results, "failed");
process.exitCode = failed > 0 ? 1 : 0;
say(`${sum(results, "passed")} passed, ${failed} failed`);
