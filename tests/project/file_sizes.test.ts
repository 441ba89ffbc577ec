import { ok } from "node:assert/strict";
import { test } from "node:test";
import { filesBelow, read } from "./sources.ts";

const SHORT = 30;
const LONG = 300;

/** Why a file may be short or long; a folder's reason holds for the files in it. */
const REASONS: Record<string, string> = {
  "runner.ts": "the entry point of the command line",
  "runtime/": "one thing that runtimes lack or do differently",
  "dev/listen/listen.ts": "chooses the adapter of the runtime",
  "client/hooks.ts": "the interface that tracing implements",
  "protocol/": "one part of the protocol",
  "runner/expression/span.ts": "a position, which expressions and the language share",
  "runner/events/event.ts": "one interface for each event of a run",
  "runner/engine/script_run.ts": "the interface that recipes in TypeScript implement",
  "runner/language/duration.ts": "the format of durations, which reports and their page share",
  "runner/cli/commands/": "one file for each command",
  "runner/report/reporter.ts": "the interface that reporters implement",
  "runner/steps/": "one file for each kind of step",
};
/** How many files may still have no reason. Lower it with each one that goes. */
const UNEXPLAINED_AT_MOST = 30;

const sizes = new Map<string, number>();
for (const path of await filesBelow()) {
  if (!path.endsWith(".ts") || /^(tests|bench|recipes)\//.test(path)) continue;
  sizes.set(path, (await read(path)).split("\n").length - 1);
}
const unusual = [...sizes].filter(([, lines]) => lines < SHORT || lines > LONG);

function reasonFor(path: string): string | undefined {
  return REASONS[path] ?? REASONS[path.replace(/[^/]*$/, "")];
}

test(`a file has ${SHORT} to ${LONG} lines, or there is a reason`, () => {
  const unexplained = unusual.filter(([path]) => reasonFor(path) === undefined);
  ok(
    unexplained.length <= UNEXPLAINED_AT_MOST,
    unexplained.map(([path, lines]) => `${path}: ${lines} lines`).join("\n"),
  );
});
