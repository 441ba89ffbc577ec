import type { Span } from "../../language/source.ts";
import type { VariableInput } from "../variables.ts";

/** A value in a file of cases. */
export interface Cell {
  /** The name of its column. */
  name: string;
  /** Where the name stands. */
  nameSpan: Span;
  /** Where the value stands. */
  span: Span;
  /** The value: text in CSV, else a value of JSON. */
  input: VariableInput;
}

/** A row of a file of cases. */
export interface Row {
  /** Where it stands. */
  span: Span;
  cells: Cell[];
}

/** A file of cases is not valid; its code is `"bad_rows"`. */
export class RowsError extends Error {
  /** Always `"bad_rows"`. */
  readonly code = "bad_rows";
  /** Where the mistake is. */
  readonly span: Span;

  /** Takes the message, and the place of the mistake. */
  constructor(message: string, span: Span, options?: ErrorOptions) {
    super(message, options);
    this.name = "RowsError";
    this.span = span;
  }
}
