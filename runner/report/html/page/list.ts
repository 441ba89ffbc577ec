import { durationText } from "../labels.ts";
import { badges, caseStatus } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import type { ReportCase } from "./decode.ts";
import { el, place } from "./dom.ts";

/** The height of a row in pixels, as in the style sheet. */
const ROW_HEIGHT = 56;
/** The rows to keep above and below the visible ones. */
const OVERSCAN = 8;
/** The most rows that are printed. */
const MAX_PRINTED = 2000;

/** The list of cases. Only the rows in view are in the page. */
export class CaseList {
  /** The element, which scrolls and takes the focus. */
  readonly element: HTMLElement;
  #context: ReportContext;
  #space: HTMLElement;
  #empty: HTMLElement;
  #rows = new Map<ReportCase, HTMLElement>();
  #shown: readonly ReportCase[] = [];
  #current = 0;
  #isPrinting = false;
  #isScheduled = false;

  /** Makes the list of a report. */
  constructor(context: ReportContext) {
    this.#context = context;
    this.#space = el("div", { class: "rows", role: "presentation" });
    this.#empty = el("p", { class: "empty" }, "No case matches. Press Esc to clear the search.");
    this.element = el("div", {
      class: "list",
      role: "listbox",
      tabindex: 0,
      "aria-label": "Cases",
    }, this.#space);
    this.element.addEventListener("scroll", () => this.#renderSoon(), { passive: true });
    this.element.addEventListener("click", (event) => {
      const row = (event.target as Element).closest<HTMLElement>(".row");
      if (row) this.#context.change({ open: Number(row.dataset.case) });
    });
    new ResizeObserver(() => this.#renderSoon()).observe(this.element);
    addEventListener("beforeprint", () => this.#setPrinting(true));
    addEventListener("afterprint", () => this.#setPrinting(false));
  }

  /** The case of the current row. */
  get current(): ReportCase | undefined {
    return this.#shown[this.#current];
  }

  /** Shows the cases that match the search and the filters. */
  update(): void {
    const { shown } = this.#context.filtered();
    const { open } = this.#context.state();
    const changed = shown !== this.#shown;
    const current = this.current;
    this.#shown = shown;
    if (changed) {
      for (const row of this.#rows.values()) row.remove();
      this.#rows.clear();
      this.#current = Math.max(0, current ? shown.indexOf(current) : 0);
    }
    const opened = shown.findIndex(({ number }) => number === open);
    if (opened !== -1) this.#current = opened;
    place(this.#space, { height: shown.length * ROW_HEIGHT });
    if (shown.length === 0) this.element.after(this.#empty);
    else this.#empty.remove();
    this.element.hidden = shown.length === 0;
    this.#scrollToCurrent();
    this.#render();
  }

  /** Moves the current row by a number of rows. */
  move(by: number): void {
    this.moveTo(this.#current + by);
  }

  /** Makes a row the current one. */
  moveTo(position: number): void {
    this.#current = Math.max(0, Math.min(this.#shown.length - 1, position));
    this.#scrollToCurrent();
    this.#render();
  }

  /** The number of rows that fit into the view. */
  get pageSize(): number {
    return Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 1);
  }

  #scrollToCurrent(): void {
    const { clientHeight, scrollTop } = this.element;
    const top = this.#current * ROW_HEIGHT;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight) {
      this.element.scrollTop = top + ROW_HEIGHT - clientHeight;
    }
  }

  #renderSoon(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#render();
    });
  }

  #setPrinting(printing: boolean): void {
    this.#isPrinting = printing;
    this.#render();
  }

  #render(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = this.#isPrinting ? 0 : Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - OVERSCAN);
    const visibleEnd = Math.ceil((scrollTop + clientHeight) / ROW_HEIGHT) + OVERSCAN;
    const last = Math.min(this.#shown.length, this.#isPrinting ? MAX_PRINTED : visibleEnd);
    const kept = new Set(this.#shown.slice(first, last));
    const current = this.current;
    if (current) kept.add(current);
    for (const [reportCase, row] of this.#rows) {
      if (kept.has(reportCase)) continue;
      row.remove();
      this.#rows.delete(reportCase);
    }
    for (let i = first; i < last; i++) this.#row(i);
    if (current) this.#row(this.#current);
    this.#mark();
  }

  #row(position: number): void {
    const reportCase = this.#shown[position]!;
    if (this.#rows.has(reportCase)) return;
    const row = place(makeRow(reportCase, position, this.#shown.length), {
      top: position * ROW_HEIGHT,
    });
    this.#rows.set(reportCase, row);
    this.#space.append(row);
  }

  #mark(): void {
    const { open } = this.#context.state();
    for (const [reportCase, row] of this.#rows) {
      row.setAttribute("aria-selected", String(reportCase.number === open));
      row.classList.toggle("is-current", reportCase === this.current);
    }
    const current = this.current;
    if (current) this.element.setAttribute("aria-activedescendant", idOf(current));
    else this.element.removeAttribute("aria-activedescendant");
  }
}

function idOf({ number }: ReportCase): string {
  return `case-${number}`;
}

function makeRow(reportCase: ReportCase, position: number, size: number): HTMLElement {
  const { name, file, tags, number } = reportCase;
  return el(
    "div",
    {
      class: `row is-${reportCase.status}`,
      id: idOf(reportCase),
      role: "option",
      "data-case": number,
      "aria-setsize": size,
      "aria-posinset": position + 1,
    },
    el(
      "span",
      { class: "row-main" },
      el("span", { class: "row-name", title: name }, ...nameParts(name)),
      ...badges(reportCase),
      el(
        "span",
        { class: "row-time" },
        reportCase.notStarted ? "–" : durationText(reportCase.duration),
      ),
    ),
    el(
      "span",
      { class: "row-more" },
      caseStatus(reportCase),
      el("span", { class: "row-file", title: file }, file),
      ...tags.map((tag) => el("span", { class: "tag" }, tag)),
    ),
  );
}

/** Splits a name before the values of the matrix, which must not be cut: they make it unique. */
function nameParts(name: string): HTMLElement[] {
  const at = name.endsWith("]") ? name.lastIndexOf(" [") : -1;
  if (at <= 0) return [el("span", {}, name)];
  return [el("span", {}, name.slice(0, at)), el("span", {}, name.slice(at))];
}
