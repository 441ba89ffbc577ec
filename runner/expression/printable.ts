import { nameOf, unfold } from "./unfold.ts";

/** Any value as JSON can show it: what JSON has no form for, as text. */
export function printable(value: unknown, around: readonly unknown[] = []): unknown {
  switch (typeof value) {
    case "bigint":
      return `${value}n`;
    case "function":
      return `[function ${value.name}]`;
    case "symbol":
      return String(value);
    case "number":
      return Number.isFinite(value) ? value : String(value);
  }
  if (typeof value !== "object" || value === null) return value;
  if (around.includes(value)) return "[circular]";
  const within = [...around, value];
  if (Array.isArray(value)) return value.map((item) => printable(item, within));
  const fields = unfold(value);
  if (!fields) return `[${nameOf(value)}]`;
  const entries = Object.entries(fields);
  return Object.fromEntries(entries.map(([key, item]) => [key, printable(item, within)]));
}

/** Any value as a line: a text as it is, everything else as JSON. */
export function toLine(value: unknown): string {
  const shown = printable(value);
  return typeof shown === "string" ? shown : JSON.stringify(shown) ?? String(shown);
}
