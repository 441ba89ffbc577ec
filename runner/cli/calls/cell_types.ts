import { didYouMean } from "../../../runtime/suggest.ts";
import { type OptionSpec, UsageError } from "../args.ts";

/** Reads a cell that is not empty; `undefined` if it has no such value. */
type ReadCell = (text: string) => unknown;

/** What the cells of a column can be. */
const TYPES = { text: (text) => text, number, boolean, json } satisfies Record<string, ReadCell>;

/** The type of a column's cells. */
export type CellType = keyof typeof TYPES;

/** The option that says what the cells of a column are. */
export const TYPE_OPTION: OptionSpec = {
  value: "COLUMN=TYPE",
  repeat: true,
  description: "For --from with a .csv: cells that are number, boolean or json, not text.",
};

/**
 * Reads the values of `--type`, by column.
 * @throws {UsageError}
 */
export function cellTypes(options: readonly string[]): Map<string, CellType> {
  return new Map(options.map((option) => {
    const equals = option.lastIndexOf("=");
    const type = option.slice(equals + 1);
    if (equals > 0 && Object.hasOwn(TYPES, type)) {
      return [option.slice(0, equals), type as CellType];
    }
    throw new UsageError(
      `--type must be COLUMN=TYPE with the type ${
        Object.keys(TYPES).join(", ").replace(/, (?=\w+$)/, " or ")
      }, not '${option}'`,
    );
  }));
}

/**
 * Checks that a file has the columns that have types.
 * @throws {UsageError}
 */
export function checkColumns(types: ReadonlyMap<string, CellType>, names: readonly string[]): void {
  for (const name of types.keys()) {
    if (names.includes(name)) continue;
    const hint = didYouMean(name, names) ?? `it has ${names.join(", ")}`;
    throw new UsageError(`--type ${name}: the file has no such column; ${hint}`);
  }
}

/**
 * Reads a cell.
 *
 * @returns Its value; `undefined` if it is empty and not text, because then there is none.
 * @throws {RangeError} If the text is not of the type.
 */
export function typedCell(text: string, type: CellType): unknown {
  if (type === "text") return text;
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const value = TYPES[type](trimmed);
  if (value !== undefined) return value;
  throw new RangeError(`'${text}' is ${type === "json" ? "not JSON" : `not a ${type}`}`);
}

/** The numbers of JSON: `007` and `1,000` are none. */
function number(text: string): number | undefined {
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new RangeError(`'${text}' is too large for a number; its last digits would be lost`);
  }
  return value;
}

/** `true` or `false`; spreadsheets write them in capitals. */
function boolean(text: string): boolean | undefined {
  return ({ true: true, false: false } as Record<string, boolean>)[text.toLowerCase()];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (_error) {
    // The caller says where the text is.
    return undefined;
  }
}
