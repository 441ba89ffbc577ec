/** Up to this many characters of one text are kept … */
const WIDE = 16_000;
/** … until all of them together are this long; a browser must be able to open the page. */
const TOTAL = 32_000_000;
/** From then on, this many. */
const NARROW = 500;

/** Cuts texts, so that a page with very many of them or very long ones stays one that opens. */
export class TextBudget {
  #used = 0;

  /** The text, or its begin and how much was left out. */
  cut(text: string, limit: number = WIDE): string {
    const most = Math.min(limit, this.#used > TOTAL ? NARROW : WIDE);
    const kept = text.length <= most ? text : cutText(text, most);
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

function cutText(text: string, limit: number): string {
  // Half a character would be shown as a broken one.
  const end = /[\ud800-\udbff]/.test(text.charAt(limit - 1)) ? limit - 1 : limit;
  return `${text.slice(0, end)}… (${text.length - end} more characters are not in this report)`;
}
