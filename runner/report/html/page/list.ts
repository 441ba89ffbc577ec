import { durationText } from "../labels.ts";
import { badges, caseStatus } from "./badges.ts";
import type { ReportContext } from "./context.ts";
import type { ReportCase } from "./decode.ts";
import { el, place } from "./dom.ts";

/** How high a row is, in pixels; the style sheet says the same. */
const ROW = 56;
/** Rows that are kept above and below what is seen. */
const SPARE = 8;
/** So many rows are printed. */
const PRINTED = 2000;

/** The list of cases. Only the rows that can be seen are in the page. */
export class CaseList {
  /** The element; it scrolls, and it has the keyboard. */
  readonly element: HTMLElement;
  #context: ReportContext;
  #space: HTMLElement;
  #empty: HTMLElement;
  #rows = new Map<ReportCase, HTMLElement>();
  #shown: readonly ReportCase[] = [];
  #current = 0;
  #printing = false;
  #waiting = false;

  /** Shows the cases of a report. */
  constructor(context: ReportContext) {
    this.#context = context;
    this.#space = el("div", { class: "rows", role: "presentation" });
    this.#empty = el("p", { class: "empty" }, "No case is like that. Esc clears the search.");
    this.element = el("div", {
      class: "list",
      role: "listbox",
      tabindex: 0,
      "aria-label": "Cases",
    }, this.#space);
    this.element.addEventListener("scroll", () => this.#soon(), { passive: true });
    this.element.addEventListener("click", (event) => {
      const row = (event.target as Element).closest<HTMLElement>(".row");
      if (row) this.#context.change({ open: Number(row.dataset.case) });
    });
    new ResizeObserver(() => this.#soon()).observe(this.element);
    addEventListener("beforeprint", () => this.#print(true));
    addEventListener("afterprint", () => this.#print(false));
  }

  /** The case that the keyboard is at. */
  get current(): ReportCase | undefined {
    return this.#shown[this.#current];
  }

  /** Shows what the filters leave. */
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
    place(this.#space, { height: shown.length * ROW });
    if (shown.length === 0) this.element.after(this.#empty);
    else this.#empty.remove();
    this.element.hidden = shown.length === 0;
    this.#reveal();
    this.#render();
  }

  /** Moves by some rows. */
  move(by: number): void {
    this.to(this.#current + by);
  }

  /** Moves to a row. */
  to(position: number): void {
    this.#current = Math.max(0, Math.min(this.#shown.length - 1, position));
    this.#reveal();
    this.#render();
  }

  /** How many rows fit. */
  get page(): number {
    return Math.max(1, Math.floor(this.element.clientHeight / ROW) - 1);
  }

  #reveal(): void {
    const { clientHeight, scrollTop } = this.element;
    const top = this.#current * ROW;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW > scrollTop + clientHeight) {
      this.element.scrollTop = top + ROW - clientHeight;
    }
  }

  #soon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#render();
    });
  }

  #print(on: boolean): void {
    this.#printing = on;
    this.#render();
  }

  #render(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = this.#printing ? 0 : Math.max(0, Math.floor(scrollTop / ROW) - SPARE);
    const seen = Math.ceil((scrollTop + clientHeight) / ROW) + SPARE;
    const last = Math.min(this.#shown.length, this.#printing ? PRINTED : seen);
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
    const row = place(makeRow(reportCase, position, this.#shown.length), { top: position * ROW });
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

/** The values of a matrix tell cases of one recipe apart, so they are not what is cut off. */
function nameParts(name: string): HTMLElement[] {
  const at = name.endsWith("]") ? name.lastIndexOf(" [") : -1;
  if (at <= 0) return [el("span", {}, name)];
  return [el("span", {}, name.slice(0, at)), el("span", {}, name.slice(at))];
}
