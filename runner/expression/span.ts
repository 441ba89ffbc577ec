/** A range of a text, as offsets: `end` is exclusive. */
export interface Span {
  /** The offset of the first character. */
  start: number;
  /** The offset after the last character. */
  end: number;
}
