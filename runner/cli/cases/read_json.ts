import type { Source, Span } from "../../language/source.ts";
import { findJsonFault } from "../calls/json_fault.ts";
import { type Row, RowsError } from "./rows.ts";

/** Matches a token of JSON. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/**
 * Reads the rows of a JSON file: a list of objects.
 * @throws {RowsError} If it is something else.
 */
export function readJsonRows({ text }: Source): Row[] {
  const fault = findJsonFault(text);
  if (fault) throw new RowsError(fault.message, fault);
  const values: unknown = JSON.parse(text);
  if (!Array.isArray(values)) {
    throw new RowsError("the cases must be a list of objects", { start: 0, end: 1 });
  }
  const places = placesOf(text);
  return values.map((value: unknown, i) => {
    const { span, cells } = places[i]!;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new RowsError("a case must be an object", span);
    }
    checkKeys(cells);
    return {
      span,
      cells: cells.map(({ name, ...place }) => ({
        name,
        ...place,
        input: { value: (value as Record<string, unknown>)[name] },
      })),
    };
  });
}

/** Of two keys with one name `JSON.parse` keeps the second silently. */
function checkKeys(cells: readonly { name: string; nameSpan: Span }[]): void {
  const seen = new Set<string>();
  for (const { name, nameSpan } of cells) {
    if (seen.has(name)) throw new RowsError(`the key \`${name}\` is there twice`, nameSpan);
    seen.add(name);
  }
}

/** Where an item of the list stands, and the keys and values of an object. */
interface Place {
  span: Span;
  cells: { name: string; nameSpan: Span; span: Span }[];
}

/** Finds the items of a list in valid JSON. */
function placesOf(text: string): Place[] {
  const places: Place[] = [];
  let depth = 0;
  let isKey = false;
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const span = { start: index, end: index + token.length };
    const place = places.at(-1);
    const isClosing = token === "}" || token === "]";
    if (isClosing) depth--;
    if (depth === 1 && isClosing) place!.span.end = span.end;
    else if (depth === 1 && token !== ",") {
      places.push({ span, cells: [] });
      isKey = true;
    } else if (depth === 2 && token === ",") isKey = true;
    else if (depth === 2 && token !== ":") {
      const cell = place!.cells.at(-1);
      if (isKey && token.startsWith('"')) {
        place!.cells.push({ name: JSON.parse(token), nameSpan: span, span: { ...span } });
        isKey = false;
      } else if (cell && !isKey) {
        // The value begins at the first token after the key, and ends at the last one.
        if (cell.span.start === cell.nameSpan.start) cell.span.start = span.start;
        cell.span.end = span.end;
      }
    }
    if (token === "{" || token === "[") depth++;
  }
  return places;
}
