import { FAULT_ACTIONS, QUIRKS } from "../../dev/mod.ts";

const QUIRK_ROWS = Object.entries(QUIRKS).map(([name, quirk]) => [
  `\`${name}\``,
  quirk.default ? "on" : "off",
  quirk.on,
  quirk.off,
]);
const FAULT_ROWS = Object.entries(FAULT_ACTIONS).map(([name, text]) => [`\`${name}\``, text]);

/** Replaces the tables of quirks and faults in docs/dev.md with generated ones. */
export function withDevTables(page: string): string {
  const quirks = table(["quirk", "default", "on", "off"], QUIRK_ROWS);
  const faults = table(["`do`", "what happens"], FAULT_ROWS);
  return replaceTable(replaceTable(page, "quirk", quirks), "`do`", faults);
}

function replaceTable(page: string, firstHeader: string, table: string): string {
  const current = new RegExp(`^\\| ${firstHeader} +\\|.*\\n(?:\\|.*\\n)+`, "m");
  if (!current.test(page)) throw new Error(`docs/dev.md has no table '${firstHeader}'`);
  return page.replace(current, () => table);
}

function table(header: string[], rows: string[][]): string {
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => row[i]!.length))
  );
  const dashes = widths.map((width) => "-".repeat(width));
  return [header, dashes, ...rows]
    .map((cells) => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(" | ")} |\n`)
    .join("");
}
