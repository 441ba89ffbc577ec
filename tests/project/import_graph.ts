import { posix } from "node:path";
import { filesBelow, importsOf, read } from "./sources.ts";

/** The files that each file imports. */
export type ImportGraph = ReadonlyMap<string, readonly string[]>;

/** The import graph of the library: value, type and dynamic imports alike. */
export async function libraryGraph(): Promise<ImportGraph> {
  const files = (await filesBelow()).filter((path) =>
    path.endsWith(".ts") && !/^(tests|bench|packaging|recipes)\//.test(path)
  );
  const known = new Set(files);
  const graph = new Map<string, readonly string[]>();
  for (const path of files) {
    const targets = importsOf(await read(path))
      .map(({ specifier }) => posix.join(posix.dirname(path), specifier))
      .filter((target) => known.has(target));
    graph.set(path, [...new Set(targets)]);
  }
  return graph;
}

/** The files that no entry point imports, directly or through others. */
export function unreachedFiles(graph: ImportGraph, entries: readonly string[]): string[] {
  const reached = new Set(entries);
  for (const file of reached) for (const target of graph.get(file) ?? []) reached.add(target);
  return [...graph.keys()].filter((file) => !reached.has(file));
}

/**
 * Finds import cycles. Files that reach each other form a group, and each group is reported once,
 * by one of its shortest cycles: `["a", "b", "a"]`.
 */
export function importCycles(graph: ImportGraph): string[][] {
  return groupsOf(graph).map((group) => shortestCycle(graph, new Set(group)));
}

/** The groups of files that reach each other, after Tarjan. */
function groupsOf(graph: ImportGraph): string[][] {
  const groups: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    const start = stack.length;
    const number = order.size;
    order.set(file, number);
    lowest.set(file, number);
    stack.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!order.has(target)) visit(target);
      else if (!stack.includes(target)) continue;
      lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== number) return;
    const group = stack.splice(start);
    if (group.length > 1 || graph.get(file)?.includes(file)) groups.push(group);
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return groups;
}

/** A shortest cycle through files of a group, found by a breadth-first search from each. */
function shortestCycle(graph: ImportGraph, group: ReadonlySet<string>): string[] {
  let shortest: string[] = [];
  for (const start of group) {
    const cycle = cycleThrough(graph, group, start);
    if (shortest.length === 0 || cycle.length < shortest.length) shortest = cycle;
  }
  return shortest;
}

function cycleThrough(graph: ImportGraph, group: ReadonlySet<string>, start: string): string[] {
  const paths = [[start]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const target of graph.get(path.at(-1)!) ?? []) {
      if (target === start) return [...path, start];
      if (!group.has(target) || seen.has(target)) continue;
      seen.add(target);
      paths.push([...path, target]);
    }
  }
  throw new Error(`${start} is not part of a cycle`);
}
