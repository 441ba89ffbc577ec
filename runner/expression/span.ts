/**
 * A range of a text, as offsets: `end` is exclusive. It is defined here, below the language, because
 * expressions know where they are written.
 */
export interface Span {
  /** The offset of the first character. */
  start: number;
  /** The offset after the last character. */
  end: number;
}
