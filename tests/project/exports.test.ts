import { deepEqual, equal, ok } from "node:assert/strict";
import { test } from "node:test";
import { declarationOf, type PublicExport, publicExports } from "./public_exports.ts";

const all = await publicExports();

test("finds the file that declares each export", () => {
  const of = (entry: string, name: string): PublicExport | undefined =>
    all.find((it) => it.entry === entry && it.name === name);
  equal(of("mod.ts", "Dispatch")?.file, "client/dispatch.ts");
  equal(of("mod.ts", "Clock")?.file, of("testing/mod.ts", "Clock")?.file);
  equal(of("mod.ts", "JobRecord")?.file, "protocol/entity.ts");
  ok(all.length > 100, String(all.length));
});

test("an exported name means one thing in all entry points", () => {
  const meanings = new Map<string, Set<string>>();
  for (const { name, file, declaredAs } of all) {
    const files = meanings.get(name) ?? new Set();
    meanings.set(name, files.add(`${declaredAs} of ${file}`));
  }
  const ambiguous = [...meanings].filter(([, files]) => files.size > 1)
    .map(([name, files]) => `${name}: ${[...files].join(", ")}`);
  deepEqual(ambiguous, []);
});

test("every exported function and class has an example", async () => {
  const missing: string[] = [];
  for (const { name, file, declaredAs } of all) {
    const { kind, doc } = await declarationOf({ file, declaredAs });
    const needsExample = kind === "function" || kind === "class";
    if (needsExample && !doc.includes("@example")) missing.push(`${name} of ${file}`);
  }
  deepEqual(missing, []);
});
