import { readDataFile } from "../../../runtime/file.ts";
import { plainStyle, renderPlace } from "../../language/render_diagnostic.ts";
import { Source } from "../../language/source.ts";
import { UsageError } from "../args.ts";
import { csvMistake } from "../csv_mistake.ts";
import { type CellType, checkColumns, typedCell } from "./cell_types.ts";
import { parseJson } from "./json_argument.ts";

/** The most bytes that a file of rows may have. */
const MAX_BYTES = 256 << 20;

/** A row of a file: the payload of a job. */
export interface Row {
  /** The line that it begins on, counted from 1. */
  line: number;
  payload: unknown;
}

/** A file of rows. */
export interface Rows {
  rows: readonly Row[];
  /** The hash of the file's text and the types, which tells whether they have changed. */
  sha256: string;
}

/**
 * Reads all rows of a file: a JSON value a line in `.jsonl`, an object for each row of a `.csv` whose
 * first row has the names.
 *
 * @param types What the cells of columns are; those of the others are texts.
 * @throws {UsageError} If a row is not valid, with its place.
 */
export async function readRows(
  path: string,
  types: ReadonlyMap<string, CellType> = new Map(),
): Promise<Rows> {
  const read = /\.csv$/i.test(path)
    ? readCsv
    : /\.(?:jsonl|ndjson)$/i.test(path)
    ? readJsonLines
    : undefined;
  if (!read) throw new UsageError(`--from takes a .csv or .jsonl file, not '${path}'`);
  if (read === readJsonLines && types.size > 0) {
    throw new UsageError("--type goes with a .csv file; the values in .jsonl have types");
  }
  const source = new Source(path, await readDataFile(path, "rows", MAX_BYTES));
  const rows = await read(source, types);
  if (rows.length === 0) throw new UsageError(`Cannot read rows '${path}': it has none`);
  // With other types the rows have other payloads.
  const hashed = source.text + [...types].sort().map((type) => `\0${type.join("=")}`).join("");
  const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(hashed));
  const sha256 = Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0"));
  return { rows, sha256: sha256.join("") };
}

function readJsonLines({ name, text }: Source): Row[] {
  return text.split("\n").flatMap((line, i) => {
    if (line.trim() === "") return [];
    return [{ line: i + 1, payload: parseJson(new Source(name, line), i + 1) }];
  });
}

/** What `csv-parse` says about a record. */
interface CsvRecord {
  record: string[];
  info: { lines: number };
}

async function readCsv(source: Source, types: ReadonlyMap<string, CellType>): Promise<Row[]> {
  const { parse } = await import("csv-parse/sync");
  if (!source.text.includes("\n") && source.text.includes("\r")) {
    throw new UsageError(`Cannot read CSV '${source.name}': its lines end with CR, not with LF`);
  }
  /** The line that the next record begins on. */
  let next = 1;
  const rows: Row[] = [];
  let names: string[] | undefined;
  const take = (record: string[], line: number) => {
    if (names === undefined) {
      names = checkedNames(record, line, source);
      return checkColumns(types, names);
    }
    if (record.length !== names.length) {
      const message = `the row has ${count(record.length)}, and the first row has ${names.length}`;
      throw misplaced(source, line, message);
    }
    const cells = names.map((name, i) => {
      try {
        return [name, typedCell(record[i]!, types.get(name) ?? "text")] as const;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        throw misplaced(source, line, `column ${name}: ${error.message}`);
      }
    });
    rows.push({
      line,
      payload: Object.fromEntries(cells.filter(([, value]) => value !== undefined)),
    });
  };
  try {
    const records = parse(source.text, {
      info: true,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as CsvRecord[];
    for (const { record, info } of records) {
      // A quoted value can have line feeds: `lines` is the line on which the record ends.
      const breaks = record.reduce((sum, value) => sum + value.split("\n").length - 1, 0);
      next = info.lines - breaks;
      take(record, next);
    }
  } catch (error) {
    const { message, line = next } = csvMistake(error);
    throw misplaced(source, line, message);
  }
  return rows;
}

function checkedNames(names: string[], line: number, source: Source): string[] {
  const separator = names.length === 1 ? /[;\t|]/.exec(names[0]!)?.[0] : undefined;
  if (separator !== undefined) {
    const shown = separator === "\t" ? "tab" : `'${separator}'`;
    throw misplaced(source, line, `there is one column with a ${shown}: separate values by ','`);
  }
  const padded = names.find((name) => name !== name.trim());
  if (padded !== undefined) {
    throw misplaced(source, line, `the name '${padded}' begins or ends with a space`);
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw misplaced(source, line, `the name '${twice}' is there twice`);
  if (names.includes("")) throw misplaced(source, line, "a column has no name");
  return names;
}

function count(values: number): string {
  return values === 1 ? "1 value" : `${values} values`;
}

function misplaced(source: Source, line: number, message: string): UsageError {
  const text = source.line(line);
  const place = { file: source.name, line, column: 1, text, length: text.length };
  const lines = renderPlace(place, (mark) => mark, plainStyle);
  return new UsageError([`Cannot read CSV: ${message}`, ...lines].join("\n"));
}

/** Returns the same text for equal JSON values: servers may change the order of keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => {
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => a < b ? -1 : 1));
  });
}
