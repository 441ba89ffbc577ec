import { REPORTERS } from "../../runner/report/registry.ts";

const HEADER = ["reporter", "what it writes"] as const;

/** Replaces the table of reporters in docs/reports.md with one made from the registry. */
export function withReporterTable(page: string): string {
  const entries = Object.entries(REPORTERS).map(([name, { description }]) =>
    [`\`${name}\``, description] as const
  );
  const widths = HEADER.map((title, i) =>
    Math.max(title.length, ...entries.map((row) => row[i]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`;
  const table = [HEADER, widths.map((width) => "-".repeat(width)), ...entries].map(line).join("");
  const current = /^\| reporter +\| what it writes +\|\n(?:\|.*\n)+/m;
  if (!current.test(page)) throw new Error("docs/reports.md has no table of reporters");
  return page.replace(current, table);
}
