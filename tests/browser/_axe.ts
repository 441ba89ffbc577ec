import { ok } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** Reads the script of axe-core. */
export function loadAxe(): Promise<string> {
  const file = new URL("../../node_modules/axe-core/axe.min.js", import.meta.url);
  return readFile(file, "utf8");
}

/**
 * Runs axe-core by evaluation, as the policy of the page forbids adding a script. All rules run; of
 * those that pass, only one node is collected.
 */
export async function violations(page: Page, axe: string): Promise<string[]> {
  const { passes, violations } = await page.evaluate(
    `globalThis.axe || (() => { ${axe} })(); axe.run({ resultTypes: ["violations"] })`,
  ) as {
    passes: unknown[];
    violations: Violation[];
  };
  ok(passes.length > 10, "axe checked too little");
  return violations.flatMap(({ id, impact, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${impact} ${id}: ${html}: ${failureSummary}`)
  );
}
