import { STEP_KINDS } from "../../runner/steps/step_kinds.ts";
import type { StepKind } from "../../runner/steps/kind.ts";

const HEADER = ["step", "what it does", "result"] as const;

/** docs/recipes.md with its table of step kinds generated again. */
export function withStepTable(page: string): string {
  const rows = Object.values(STEP_KINDS).map(({ usage, fields, description, result }) => [
    `${usage}${optionalKeys(fields)}`,
    description,
    result.title,
  ]);
  const widths = HEADER.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  const table = [HEADER, widths.map((width) => "-".repeat(width)), ...rows].map(line).join("");
  const current = /^\| step +\| what it does +\| result +\|\n(?:\|.*\n)+/m;
  if (!current.test(page)) throw new Error("docs/recipes.md has no table of step kinds");
  return page.replace(current, () => table);
}

function optionalKeys(fields: StepKind["fields"]): string {
  const names = Object.keys(fields).slice(1);
  return names.length === 0 ? "" : ` with ${names.map((name) => `\`${name}\``).join(", ")}`;
}
