import type { Source, Span } from "../../language/source.ts";
import { csvMistake } from "../csv_mistake.ts";
import { type Cell, type Row, RowsError } from "./rows.ts";

/** What `csv-parse` says about a record. */
interface CsvRecord {
  record: string[];
  raw: string;
}

/**
 * Reads the rows of a CSV file, whose first row has the names.
 * @throws {RowsError} If it is not CSV, or a row has more or fewer values than there are names.
 */
export async function readCsvRows(source: Source): Promise<Row[]> {
  const { parse } = await import("csv-parse/sync");
  const { text } = source;
  if (text.includes("\r") && !text.includes("\n")) {
    const why = "its lines end with CR alone, and must end with LF or CRLF";
    throw new RowsError(why, { start: 0, end: text.indexOf("\r") });
  }
  let records: CsvRecord[];
  try {
    records = parse(text, {
      raw: true,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as CsvRecord[];
  } catch (error) {
    const { message, line = 1 } = csvMistake(error);
    const start = findQuoteMistake(text) ?? source.offset(line, 1);
    throw new RowsError(message, { start, end: start + 1 }, { cause: error });
  }
  let names: { name: string; span: Span }[] | undefined;
  const rows: Row[] = [];
  let at = 0;
  for (const { record, raw } of records) {
    // Empty lines, which no record has, stand before it.
    const body = raw.replace(/\r?\n$/, "");
    const start = text.indexOf(body, at);
    at = start + body.length;
    const spans = spansOf(body, start);
    const span = { start, end: at };
    if (!names) {
      names = record.map((name, i) => ({ name, span: spans[i]! }));
      checkNames(names);
      continue;
    }
    if (record.length !== names.length) {
      const values = record.length === 1 ? "one value" : `${record.length} values`;
      const message = `the row has ${values}, and the first row has ${names.length}`;
      throw new RowsError(message, span);
    }
    const cells = names.map(({ name, span }, i): Cell => ({
      name,
      nameSpan: span,
      span: spans[i]!,
      input: { text: record[i]! },
    }));
    rows.push({ span, cells });
  }
  return rows;
}

function checkNames(names: readonly { name: string; span: Span }[]): void {
  const [first, second] = names;
  if (first && !second && /[;\t|]/.test(first.name)) {
    throw new RowsError("the values of a row must be separated by commas", first.span);
  }
  const seen = new Set<string>();
  for (const { name, span } of names) {
    if (name === "") throw new RowsError("a column has no name", span);
    if (seen.has(name)) throw new RowsError(`the name \`${name}\` is there twice`, span);
    seen.add(name);
  }
}

/** Returns where the values of a record stand, with their quotes. */
function spansOf(record: string, offset: number): Span[] {
  const spans: Span[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i <= record.length; i++) {
    if (record[i] === '"') isQuoted = !isQuoted;
    if (i < record.length && (isQuoted || record[i] !== ",")) continue;
    spans.push({ start: offset + start, end: offset + Math.max(i, start + 1) });
    start = i + 1;
  }
  return spans;
}

/** Returns where a quote is wrong, of which `csv-parse` knows at most the line. */
function findQuoteMistake(text: string): number | undefined {
  let [isStart, isQuoted, hasClosed, open] = [true, false, false, 0];
  for (let i = text.startsWith("\ufeff") ? 1 : 0; i < text.length; i++) {
    const char = text[i];
    if (isQuoted) {
      if (char !== '"') continue;
      if (text[i + 1] === '"') i++;
      else [isQuoted, hasClosed] = [false, true];
    } else if (char === "," || char === "\n") {
      [isStart, hasClosed] = [true, false];
    } else if (char === '"' && isStart) {
      [isStart, isQuoted, open] = [false, true, i];
    } else if (char === '"' || (hasClosed && char !== "\r")) {
      return i;
    } else {
      isStart = false;
    }
  }
  return isQuoted ? open : undefined;
}
