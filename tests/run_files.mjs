// Runs test files for `run.mjs`, several in one process where they allow it, and counts their tests.
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { readJunit } from "./run_junit.mjs";
import { run } from "./run_process.mjs";
import { ROOT } from "./run_tools.mjs";

/** Milliseconds that a file may take, and several together. */
const FILE_LIMIT = 90_000;
const GROUP_LIMIT = 180_000;

/**
 * How many files of a folder share a process. Starting a process and loading the modules takes half
 * a second of processor time, more than the tests of most files.
 */
const GROUP_SIZE = 12;

/**
 * Files that run alone: they would disturb others, or take so long by themselves that a process of
 * their own costs little.
 */
const ALONE = new RegExp(
  "/simulation/|/dev/mocked_timers|/docs/shell|/faults/(?:credits|handles)|/history/processes|" +
    "/report/(?:hostile_output|otel_failures|secrets)|" +
    "/runner/(?:enqueue_rows|explore|expressions_limits|schedule_cli|script_exits)\\.test",
);

/**
 * @typedef {{passed: number, skipped: number, failed: number, texts: string[], seeds: string[]}} Result
 * @typedef {{command: string, args: (report: string, files: string[]) => string[]}} Runtime
 */

/** @type {Record<string, Runtime>} */
export const RUNTIMES = {
  deno: { command: "deno", args: (report, files) => denoArgs(report, files) },
  // Only Deno finds operations and resources that a test leaves behind, and only with `Deno.test`.
  leaks: {
    command: "deno",
    args: (report, files) => denoArgs(report, files, "--sanitize-ops", "--sanitize-resources"),
  },
  bun: {
    command: "bun",
    args: (report, files) => [
      "test",
      "--timeout=60000",
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...files,
    ],
  },
  node: {
    command: "node",
    args: (report, files) => [
      // Without `--test` for one file, for which Node starts a second process.
      ...files.length > 1 ? ["--test", "--test-isolation=none"] : [],
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      ...files,
    ],
  },
};

function denoArgs(report, files, ...flags) {
  const shared = ["test", "-A", "--no-check", `--junit-path=${report}`, ...flags];
  if (files.length === 1) return [...shared, files[0]];
  // Deno loads all modules anew for each file that is named, but not for those that one imports.
  const module = join(
    dirname(report),
    `${pathToFileURL(report).pathname.split("/").pop()}.test.ts`,
  );
  const imports = files.map((file) => `import "${pathToFileURL(join(ROOT, file)).href}";\n`);
  writeFileSync(module, imports.join(""));
  return [...shared, "--config", join(ROOT, "deno.json"), module];
}

/**
 * Divides files into those that share a process: neighbours in a folder.
 * @param {string[]} files As `./tests/…`, sorted.
 * @returns {string[][]}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function groupFiles(files) {
  /** @type {string[][]} */
  const groups = files.filter((file) => ALONE.test(file)).map((file) => [file]);
  const shared = files.filter((file) => !ALONE.test(file));
  for (const inFolder of Map.groupBy(shared, (file) => dirname(file)).values()) {
    const count = Math.ceil(inFolder.length / GROUP_SIZE);
    for (let i = 0; i < count; i++) {
      const at = (n) => Math.round(inFolder.length * n / count);
      groups.push(inFolder.slice(at(i), at(i + 1)));
    }
  }
  return groups;
}

/**
 * Runs files in one process. If a file hangs, crashes or reports nothing, each runs again in a process
 * of its own, so that this file is named, and the tests of the others are counted.
 * @param {Runtime} runtime
 * @param {string[]} files
 * @param {string} report The path of the JUnit report.
 * @param {Record<string, string | undefined>} env
 * @param {number} [limit] Milliseconds that a file may take.
 * @returns {Promise<Result>}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export async function runFiles(runtime, files, report, env, limit = FILE_LIMIT) {
  const isGroup = files.length > 1;
  const together = await runOnce(runtime, files, report, env, isGroup ? GROUP_LIMIT : limit);
  if (!isGroup || together.isComplete) return together;
  const alone = [];
  for (const [i, file] of files.entries()) {
    alone.push(await runOnce(runtime, [file], `${report}.${i}.xml`, env, limit));
  }
  const sum = (key) => alone.reduce((total, result) => total + result[key], 0);
  const failed = sum("failed");
  return {
    passed: sum("passed"),
    skipped: sum("skipped"),
    // What fails only now and then, or only beside the others, is a failure too.
    failed: failed || together.failed,
    texts: failed > 0 ? alone.flatMap(({ texts }) => texts) : together.texts,
    seeds: [together, ...alone].flatMap(({ seeds }) => seeds),
  };
}

/** Counts come from the JUnit report of the files, never from what the runtime prints. */
async function runOnce({ command, args }, files, report, env, limit) {
  const { output, problem } = await run(command, args(report, files), env, limit);
  const { passed, skipped, failures, isComplete, seeds } = count(files, report, problem);
  const texts = failures.map(({ name, file, text }) => `${file}: ${name}\n${head(text)}`);
  // Only the runtime's own output explains why a file cannot be loaded.
  if (!isComplete) texts.push(`the end of the output\n${tail(output)}`);
  return { passed, skipped, failed: failures.length, isComplete, texts, seeds };
}

/** Counts the tests in a report. A run that ended badly without a failed test is a failure too. */
function count(files, report, problem) {
  let cases = [];
  const broken = [];
  const all = files.join(", ");
  try {
    cases = readJunit(readFileSync(report, "utf8"));
    for (const file of files.filter((file) => !hasTests(file, files, cases))) {
      broken.push({ name: "no test was reported", file, text: problem ?? "" });
    }
  } catch (error) {
    const text = `${error.message}\n${problem ?? ""}`;
    broken.push({ name: "the JUnit report cannot be read", file: all, text });
  }
  const failed = cases.filter(({ outcome }) => outcome === "failed");
  if (problem !== undefined && failed.length + broken.length === 0) {
    broken.push({ name: "the test process", file: all, text: problem });
  }
  return {
    failures: [...failed, ...broken],
    isComplete: broken.length === 0,
    passed: cases.filter(({ outcome }) => outcome === "passed").length,
    skipped: cases.filter(({ outcome }) => outcome === "skipped").length,
    seeds: cases.map(({ name }) => name).filter((name) => /seed \d+$/.test(name)),
  };
}

/** Whether tests of a file were reported. A report of one file may name the helper that made them. */
function hasTests(file, files, cases) {
  if (files.length === 1) return cases.length > 0;
  return cases.some((one) => one.file.replaceAll("\\", "/").endsWith(file.slice(2)));
}

/** The start of a failure's text: Node repeats all properties of the error after the stack. */
function head(text) {
  const lines = text.trim().split("\n");
  return lines.slice(0, 30).join("\n") + (lines.length > 30 ? "\n…" : "");
}

/**
 * @param {string} output
 * @returns {string}
 */
// deno-lint-ignore explicit-module-boundary-types -- JavaScript, its types are above.
export function tail(output) {
  const lines = output.trimEnd().split("\n");
  return lines.slice(-80).join("\n");
}
