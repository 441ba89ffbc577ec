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
  /** The texts of its items, which {@linkcode itemText} has made: values would take more memory. */
  items: Iterable<string>;
}

/** Formats an item of a list in a document, with lines that are indented as deep as they will be. */
export function itemText(item: unknown, { depth }: Pick<DocumentList, "depth">): string {
  let list = item;
  let [before, after] = [0, 0];
  for (let level = 0; level <= depth; level++) {
    list = [list];
    // A bracket and the end of a line, and the space of the line inside and of the bracket's own.
    before += 2 + (level + 1) * INDENT;
    after += 2 + level * INDENT;
  }
  return safeJson(list, INDENT).slice(before, -after);
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
  const list = `${space}"${key}": [`;
  // No text of a value has the end of a line.
  const at = text.indexOf(`${list}]`) + list.length;
  yield text.slice(0, at);
  let isEmpty = true;
  for (const item of items) {
    yield `${isEmpty ? "" : ","}${space}${" ".repeat(INDENT)}${item}`;
    isEmpty = false;
  }
  yield `${isEmpty ? "" : space}${text.slice(at)}\n`;
}
