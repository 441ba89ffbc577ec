import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { type ImportGraph, libraryGraph, unreachedFiles } from "./import_graph.ts";
import { readJson } from "./sources.ts";

/** The script of the HTML report, which the build makes into `runner/report/html/_page.ts`. */
const PAGE = "runner/report/html/page/main.ts";

test("every module is used by an entry point", async () => {
  const { exports } = await readJson<{ exports: Record<string, string> }>("deno.json");
  // In bundles for browsers these modules replace others.
  const { browser } = await readJson<{ browser: Record<string, string> }>("package.json");
  const files = [...Object.values(exports), ...Object.values(browser)];
  const entries = [...files.map((path) => path.slice(2)), PAGE];
  const graph = await libraryGraph();
  for (const entry of entries) ok(graph.has(entry), entry);
  deepEqual(unreachedFiles(graph, entries), []);
});

test("finds modules that only each other use", () => {
  const graph: ImportGraph = new Map([
    ["mod.ts", ["a.ts"]],
    ["a.ts", ["b.ts"]],
    ["b.ts", ["a.ts"]],
    ["c.ts", ["d.ts", "a.ts"]],
    ["d.ts", ["c.ts"]],
  ]);
  deepEqual(unreachedFiles(graph, ["mod.ts"]), ["c.ts", "d.ts"]);
});
