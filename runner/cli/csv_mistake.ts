/** What the codes of `csv-parse` mean. */
const REASONS: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "a quoted value has no end",
  CSV_INVALID_CLOSING_QUOTE: "after a quoted value comes more text",
  INVALID_OPENING_QUOTE: "a value that is not quoted has a quote",
};

/** Why a text is not CSV. */
export interface CsvMistake {
  /** What is wrong. */
  message: string;
  /** The line of the mistake, from 1, if `csv-parse` knows it. */
  line: number | undefined;
}

/** The error of `csv-parse`. */
interface CsvParseError extends Error {
  code?: string;
  lines?: number;
}

/**
 * Puts an error of `csv-parse` into words.
 * @throws The error, if it is another one.
 */
export function csvMistake(error: unknown): CsvMistake {
  const { code = "", message, lines } = error as CsvParseError;
  if (!/^(?:CSV|INVALID)_/.test(code)) throw error;
  return { message: REASONS[code] ?? message, line: lines };
}
