import { deepEqual } from "node:assert/strict";
import { test } from "node:test";
import { filesBelow, read } from "./sources.ts";

const SHORT = 30;
const LONG = 300;

/** Why a file may be short or long; a folder's reason holds for the files in it. */
const REASONS: Record<string, string> = {
  "runner.ts": "the entry point of the command line",
  "runtime/": "one thing that runtimes lack or do differently",
  "dev/listen/listen.ts": "chooses the adapter of the runtime",
  "protocol/": "one part of the protocol",
  "runner/expression/span.ts": "a position, which expressions and the language share",
  "runner/events/event.ts": "one interface for each event of a run",
  "runner/cli/commands/": "one file for each command",
  "runner/cli/virtual_steps.ts": "a check that only a run makes",
  "runner/expression/load_patterns.ts": "loads regular expressions when a recipe has one",
  "runner/report/terminal.ts": "the styles that several reporters use",
  "runner/report/html/_page.ts": "generated",
  "runner/report/json/jsonl.ts": "one file for each reporter",
  "runner/notify/targets/": "one file for each kind of target",
  "runner/steps/": "one file for each kind of step",
};
const sizes = new Map<string, number>();
for (const path of await filesBelow()) {
  if (!path.endsWith(".ts") || /^(tests|bench|packaging|recipes)\//.test(path)) continue;
  sizes.set(path, (await read(path)).split("\n").length - 1);
}
const unusual = [...sizes].filter(([, lines]) => lines < SHORT || lines > LONG);

function reasonFor(path: string): string | undefined {
  // A reporter is a folder with a file of the same name: `csv/csv.ts`.
  if (/^runner\/report\/(\w+)\/\1\.ts$/.test(path)) return "one file for each reporter";
  return REASONS[path] ?? REASONS[path.replace(/[^/]*$/, "")];
}

test(`a file has ${SHORT} to ${LONG} lines, or there is a reason`, () => {
  const unexplained = unusual.filter(([path]) => reasonFor(path) === undefined);
  deepEqual(unexplained.map(([path, lines]) => `${path}: ${lines} lines`), []);
});

test("every reason has a file that needs it", () => {
  const paths = unusual.flatMap(([path]) => [path, path.replace(/[^/]*$/, "")]);
  deepEqual(Object.keys(REASONS).filter((path) => !paths.includes(path)), []);
});
