import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import { importCycles, libraryGraph } from "./import_graph.ts";

const graph = (edges: Record<string, string>) =>
  new Map(Object.entries(edges).map(([file, targets]) => [file, [...targets]]));
const cyclesOf = (edges: Record<string, string>) =>
  importCycles(graph(edges)).map((cycle) => cycle.join(" -> "));

test("finds no cycle where imports run one way", () => {
  deepEqual(cyclesOf({ a: "bc", b: "d", c: "d", d: "" }), []);
});

test("draws a cycle from its first file back to it", () => {
  deepEqual(cyclesOf({ a: "b", b: "c", c: "a" }), ["a -> b -> c -> a"]);
});

test("leaves out the files that only lead into or out of a cycle", () => {
  deepEqual(cyclesOf({ a: "b", b: "c", c: "bd", d: "" }), ["b -> c -> b"]);
});

test("draws a shortest cycle of files that are in several", () => {
  deepEqual(cyclesOf({ a: "b", b: "c", c: "ad", d: "c" }), ["c -> d -> c"]);
});

test("reports cycles that share no file one by one", () => {
  deepEqual(cyclesOf({ a: "b", b: "a", c: "d", d: "ca" }).toSorted(), [
    "a -> b -> a",
    "c -> d -> c",
  ]);
});

test("reports a file that imports itself", () => {
  deepEqual(cyclesOf({ a: "a" }), ["a -> a"]);
});

test("the library has no import cycle, of values or of types", async () => {
  const library = await libraryGraph();
  for (const room of ["client", "dev", "protocol", "runner", "runtime", "testing"]) {
    ok([...library.keys()].some((path) => path.startsWith(`${room}/`)), room);
  }
  deepEqual(importCycles(library).map((cycle) => cycle.join(" -> ")), []);
});
