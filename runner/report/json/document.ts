import { writePieces } from "../report_file.ts";
import type { Output } from "../reporter.ts";
import { safeJson } from "../safe_text.ts";

/** How far each level is indented. */
const INDENT = 2;

/** The list of a document that can have 100,000 items. */
export interface DocumentList {
  /** Its key. No other value at its depth may have it. */
  key: string;
  /** In how many objects it is. */
  depth: number;
  /** The JSON of its items, in one line each: as values they would take much more memory. */
  items: readonly string[];
}

/**
 * Writes a JSON document with many items.
 * @param document The document, in which the list is empty.
 */
export function writeDocument(output: Output, document: unknown, list: DocumentList): void {
  writePieces(output, () => piecesOf(document, list));
}

function* piecesOf(document: unknown, { key, depth, items }: DocumentList): Generator<string> {
  const text = safeJson(document, INDENT);
  const space = `\n${" ".repeat(depth * INDENT)}`;
  const inner = space + " ".repeat(INDENT);
  const list = `${space}"${key}": [`;
  // No text of a value has the end of a line.
  const at = text.indexOf(`${list}]`) + list.length;
  yield text.slice(0, at);
  for (const [i, item] of items.entries()) {
    const indented = safeJson(JSON.parse(item), INDENT).replaceAll("\n", inner);
    yield `${i === 0 ? "" : ","}${inner}${indented}`;
  }
  yield `${items.length === 0 ? "" : space}${text.slice(at)}\n`;
}
