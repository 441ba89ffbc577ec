import { cutText, LONGEST_TEXT } from "../cut_text.ts";

/** When all texts together are this long, each gets less: a browser must be able to open the page. */
const TOTAL = 32_000_000;
/** From then on, so many characters of one text are kept. */
const NARROW = 500;

/** Cuts texts, so that a page with very many of them or very long ones stays one that opens. */
export class TextBudget {
  #used = 0;

  /** The text, or its begin and how much was left out. */
  cut(text: string, limit: number = LONGEST_TEXT): string {
    const most = Math.min(limit, this.#used > TOTAL ? NARROW : LONGEST_TEXT);
    const kept = cutText(text, most);
    this.#used += kept.length;
    return kept;
  }

  /** The items, or the first of them, and a line that says how many were left out. */
  cutList(lines: readonly string[], limit: number): string[] {
    const kept = lines.slice(0, limit).map((line) => this.cut(line));
    if (lines.length > limit) kept.push(`… ${lines.length - limit} more are not in this report`);
    return kept;
  }
}
