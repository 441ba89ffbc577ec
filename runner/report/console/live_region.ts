import { width } from "../../language/render_diagnostic.ts";
import type { Output } from "../reporter.ts";

/** The height of a screen that does not report its own. */
const DEFAULT_ROWS = 24;

/** The shortest time between two redraws, in milliseconds. */
export const REDRAW_INTERVAL = 90;

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const ERASE_REST = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/**
 * The last lines of a terminal, which are redrawn in place.
 *
 * Between two writes the cursor is in the empty line below them, where other programs leave it too:
 * terminals handle a resize best there.
 */
export class LiveRegion {
  #output: Output;
  /** The widths of the lines on the screen; undefined before they have been drawn. */
  #drawn: number[] | undefined;
  /** The width of the screen at the last redraw. */
  #columns = 0;

  /** Draws on an output. */
  constructor(output: Output) {
    this.#output = output;
  }

  /** The space for lines. */
  get size(): { columns: number; rows: number } {
    const { columns, rows = DEFAULT_ROWS } = this.#output;
    return { columns, rows: rows - 1 };
  }

  /** Writes text above the lines and replaces the lines, in one write. */
  draw(lines: readonly string[], text = ""): void {
    const { columns } = this.#output;
    const hide = this.#drawn ? "" : HIDE_CURSOR;
    // Erasing everything flickers, so lines are overwritten one by one where possible.
    const eraseAll = text !== "" || columns !== this.#columns;
    const above = this.#moveToTop() + (eraseAll ? ERASE_BELOW : "") + text;
    const below = lines.map((line) => `${line}${ERASE_REST}\n`).join("");
    // deno-lint-ignore no-control-regex -- Colours have no width.
    this.#drawn = lines.map((line) => width(line.replace(/\x1b\[\d*m/g, "")));
    this.#columns = columns;
    this.#output.write(`${hide}${above}${NO_WRAP}${below}${ERASE_BELOW}${WRAP}`, "styled");
  }

  /** Erases the lines, writes text in their place, and shows the cursor again. */
  remove(text = ""): void {
    const all = this.#drawn ? `${this.#moveToTop()}${ERASE_BELOW}${text}${SHOW_CURSOR}` : text;
    this.#drawn = undefined;
    if (all !== "") this.#output.write(all, "styled");
  }

  /** Leaves the lines as they are; the next ones are drawn below. */
  forget(): void {
    this.#drawn = undefined;
  }

  /**
   * Moves the cursor to the first line. A terminal that has become narrower has wrapped the lines
   * that no longer fit.
   */
  #moveToTop(): string {
    const { columns } = this.#output;
    const up = (this.#drawn ?? [])
      .reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return up > 0 ? `\r\x1b[${up}A` : "\r";
  }
}
