import { deepEqual, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { read, readJson } from "./sources.ts";

interface Task {
  description: string;
  command: string;
  dependencies?: string[];
}

const { tasks, exports } = await readJson<{
  tasks: Record<string, Task>;
  exports: Record<string, string>;
}>("deno.json");

/** The tasks that `npm test` runs. */
const tested = [
  .../^const CHECKS = \[(.*)\];$/m.exec(await read("tests/run.mjs"))![1]!.matchAll(/"(\w+)"/g),
].map(([, name]) => name!);

/** The files and folders that the commands of a task name. */
function pathsIn(name: string): string[] {
  return tasks[name]!.command.split(" ").filter((word) => /\.(ts|md)$|^[a-z]+$/.test(word));
}

test("npm test runs every task that checks something", () => {
  const others = [
    ...["ok", "test", "update", "bench", "simulate", "simulate:mutants", "mutate", "npm", "binary"],
    ...["differential", "differential:programs", "fleet", "artefacts", "release"],
  ];
  deepEqual(tested, Object.keys(tasks).filter((name) => !others.includes(name)));
});

test("the task `ok` runs tasks that npm test runs too", () => {
  const { dependencies } = tasks["ok"]!;
  ok(dependencies!.length > 0);
  deepEqual(dependencies!.filter((name) => !tested.includes(name)), []);
});

test("the tasks name every entry point", () => {
  for (const name of ["lint", "check"]) {
    const paths = pathsIn(name);
    for (const path of Object.values(exports)) ok(paths.includes(path.slice(2)), `${name} ${path}`);
  }
});

test("every room, the README and the docs are in the task that checks the types of examples, and in the one that runs them", () => {
  const rooms = ["client", "dev", "protocol", "runner", "runtime", "testing"];
  for (const name of ["check", "examples"]) {
    for (const path of ["mod.ts", ...rooms, "README.md"]) {
      ok(pathsIn(name).includes(path), `${name} ${path}`);
    }
  }
  ok(pathsIn("examples").includes("docs"));
  // `deno check` leaves out the pages of a folder.
  match(tasks["check"]!.command, /^deno check --doc .* docs\/\*\.md /);
});
