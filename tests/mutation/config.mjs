// Stryker's configuration, for the files and rooms in the variable MUTATE. `run.mjs` sets it.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** The folders of tests that know each room. */
const TESTS = {
  protocol: ["protocol", "conformance", "client"],
  client: ["client", "faults", "conformance"],
  runner: ["runner", "report", "history"],
};
/**
 * Tests that cannot say anything about a mutant: of the size of the sources, and of whole processes.
 * `targets` changes the list of step kinds before the parser reads it, so it needs a process of its own.
 */
const LEFT_OUT = [
  "client/bundle",
  "client/exit",
  "history/processes",
  "runner/editor",
  "runner/signals",
  "runner/targets",
];

const mutate = process.env.MUTATE.split(",");

for (const name of LEFT_OUT) {
  if (!existsSync(join(ROOT, `tests/${name}.test.ts`))) throw new Error(`there is no ${name}`);
}
const folders = new Set(mutate.flatMap((path) => TESTS[path.split("/")[0]] ?? []));
const files = [...folders].flatMap((folder) =>
  readdirSync(join(ROOT, "tests", folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `tests/${folder}/${name}`)
).filter((path) => !LEFT_OUT.some((name) => path === `tests/${name}.test.ts`));

function isFolder(path) {
  return statSync(join(ROOT, path), { throwIfNoEntry: false })?.isDirectory() ?? false;
}

export default {
  mutate: mutate.map((path) => isFolder(path) ? `${path}/**/*.ts` : path),
  nodeTest: { files },
  plugins: [join(ROOT, "tests/mutation/runner.ts")],
  testRunner: "node-test",
  coverageAnalysis: "perTest",
  // Tests compare some files with what they are generated from.
  disableTypeChecks: false,
  // A mutant in what a module does while it loads would need a new process for every test.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 300_000,
  dryRunTimeoutMinutes: 10,
  reporters: ["clear-text", "html", "json", "progress"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  htmlReporter: { fileName: ".mutation/report.html" },
  jsonReporter: { fileName: ".mutation/report.json" },
  tempDirName: ".mutation/sandbox",
  cleanTempDir: "always",
  ignorePatterns: [".dispatch", ".git", "docs/images"],
};
