import { deepEqual, ok } from "node:assert/strict";
import { posix } from "node:path";
import { test } from "node:test";
import { filesBelow, read } from "../project/sources.ts";

const files = await filesBelow();
const pages = files.filter((path) => /^(docs\/)?[^/]+\.md$/.test(path));

/** The anchors of a page's headings, as GitHub makes them. */
async function anchorsOf(path: string): Promise<Set<string>> {
  const headings = (await read(path)).matchAll(/^#+ (.+)$/gm);
  return new Set(
    Array.from(
      headings,
      ([, heading]) =>
        heading!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-"),
    ),
  );
}

test("the links between the pages lead to files and headings that exist", async () => {
  const broken: string[] = [];
  let count = 0;
  for (const page of pages) {
    for (const [, link] of (await read(page)).matchAll(/\]\(([^()\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link!)) continue;
      count++;
      const [path, anchor] = link!.split("#");
      const target = path === "" ? page : posix.join(posix.dirname(page), path!);
      const exists = files.includes(target) || target === "LICENSE";
      const hasAnchor = anchor === undefined || (exists && (await anchorsOf(target)).has(anchor));
      if (!exists || !hasAnchor) broken.push(`${page}: ${link}`);
    }
  }
  ok(count >= 50, String(count));
  deepEqual(broken, []);
});

test("the files that the pages for contributors name exist", async () => {
  /** Files of the examples, which a reader is to write. */
  const examples = /count_events|csv|<|my-/;
  const missing: string[] = [];
  for (const page of ["CONTRIBUTING.md", "docs/architecture.md", "docs/testing.md"]) {
    for (
      const [, path] of (await read(page)).matchAll(
        /`((?:client|dev|protocol|runner|runtime|testing|tests|docs|bench|recipes)\/[\w./-]*)`/g,
      )
    ) {
      const exists = path!.endsWith("/")
        ? files.some((file) => file.startsWith(path!))
        : files.includes(path!) || files.some((file) => file.startsWith(`${path!}/`));
      if (!exists && !examples.test(path!)) missing.push(`${page}: ${path}`);
    }
  }
  deepEqual(missing, []);
});
