export type { Span } from "../expression/span.ts";

/** A position in a source; line and column are counted from 1. */
export interface Position {
  /** The line number. */
  line: number;
  /** The character in the line. */
  column: number;
}

/**
 * The text of a recipe, which converts offsets to lines and columns.
 *
 * @example
 * ```ts
 * import { Source } from "@dispatch/sdk/runner";
 * import { strict as assert } from "node:assert";
 *
 * const source = new Source("order.yaml", "name: Order\nsteps: []\n");
 * assert.deepEqual(source.position(12), { line: 2, column: 1 });
 * ```
 */
export class Source {
  /** The name that messages show: the path as the user wrote it. */
  readonly name: string;
  /** The text, without a byte order mark. */
  readonly text: string;
  #starts: number[] | undefined;

  /** Creates a source from a name and its text. */
  constructor(name: string, text: string) {
    this.name = name;
    this.text = text.startsWith("\ufeff") ? text.slice(1) : text;
  }

  /** The line and column of an offset. */
  position(offset: number): Position {
    const starts = this.#lineStarts();
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    let column = 1;
    for (let i = starts[low]!; i < Math.min(offset, this.text.length); i++) {
      // A surrogate pair is one character.
      if (!isLowSurrogate(this.text, i)) column++;
    }
    return { line: low + 1, column };
  }

  /** The offset of a line and column. */
  offset(line: number, column: number): number {
    const start = this.#lineStarts()[line - 1] ?? this.text.length;
    return start + [...this.line(line)].slice(0, column - 1).join("").length;
  }

  /** The text of a line without its line break. */
  line(line: number): string {
    const starts = this.#lineStarts();
    const start = starts[line - 1] ?? this.text.length;
    const end = starts[line] === undefined ? this.text.length : starts[line] - 1;
    return this.text.slice(start, end).replace(/\r$/, "");
  }

  #lineStarts(): number[] {
    if (this.#starts) return this.#starts;
    const starts = [0];
    for (let i = this.text.indexOf("\n"); i !== -1; i = this.text.indexOf("\n", i + 1)) {
      starts.push(i + 1);
    }
    return this.#starts = starts;
  }
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 0xdc00 || code > 0xdfff || at === 0) return false;
  const before = text.charCodeAt(at - 1);
  return before >= 0xd800 && before <= 0xdbff;
}
