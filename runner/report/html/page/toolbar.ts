import { plural, STATUS_LABELS } from "../labels.ts";
import type { ReportContext } from "./context.ts";
import { button, el } from "./dom.ts";
import { matchesFilter } from "./filter.ts";
import { GLYPHS, lineIcon, statusIcon } from "./icons.ts";
import { type Filter, FILTERS } from "./state.ts";

/** The search field, the filters and the order of the list. */
export interface Toolbar {
  /** The element. */
  element: HTMLElement;
  /** Focuses the search field. */
  focus(): void;
  /** Shows the current view. */
  update(): void;
}

/** Makes the toolbar. */
export function makeToolbar(context: ReportContext): Toolbar {
  const { cases, change } = context;
  const search = el("input", {
    type: "search",
    class: "search-field",
    placeholder: "Search name, file, tag, failure",
    "aria-label": "Search the cases by name, file, tag or text of a failure",
    "aria-keyshortcuts": "/",
    autocomplete: "off",
    spellcheck: "false",
  });
  search.addEventListener("input", () => change({ query: search.value }));
  const sort = el(
    "select",
    { class: "sort", "aria-label": "Order" },
    el("option", { value: "run" }, "In order"),
    el("option", { value: "slow" }, "Slowest first"),
  );
  sort.addEventListener("change", () => change({ sort: sort.value === "slow" ? "slow" : "run" }));
  const found = el("p", { class: "found", role: "status" });
  // A filter that matches no case of this run is left out.
  const offered = FILTERS.filter((filter) =>
    cases.some((reportCase) => matchesFilter(reportCase, filter))
  );
  const chips = new Map<Filter | "all", { chip: HTMLButtonElement; count: HTMLElement }>();
  const chip = (filter: Filter | "all", word: string, onClick: () => void) => {
    const count = el("span", { class: "count" });
    const icon = filter === "all" || filter === "flaky" || filter === "slow"
      ? undefined
      : statusIcon(filter);
    const made = button(
      { class: "chip-button", "data-filter": filter, "aria-pressed": "false" },
      onClick,
      icon,
      el("span", {}, word),
      count,
    );
    chips.set(filter, { chip: made, count });
    return made;
  };
  const element = el(
    "div",
    { class: "toolbar", role: "search" },
    el(
      "div",
      { class: "search" },
      lineIcon(GLYPHS.search),
      search,
      el("kbd", { "aria-hidden": "true" }, "/"),
    ),
    el(
      "div",
      { class: "chips", role: "group", "aria-label": "Show only" },
      chip("all", "All", () => change({ filters: [] })),
      ...offered.map((filter) => chip(filter, wordOf(filter), () => toggle(filter))),
    ),
    el("div", { class: "order" }, found, sort),
  );

  function toggle(filter: Filter): void {
    const { filters } = context.state();
    const on = !filters.includes(filter);
    change({
      filters: FILTERS.filter((reportCase) =>
        reportCase === filter ? on : filters.includes(reportCase)
      ),
    });
  }

  return {
    element,
    focus() {
      search.focus();
      search.select();
    },
    update() {
      const { query, filters, sort: order } = context.state();
      const { shown, found: all, counts } = context.filtered();
      if (search.value !== query) search.value = query;
      sort.value = order;
      for (const [filter, { chip, count }] of chips) {
        const pressed = filter === "all" ? filters.length === 0 : filters.includes(filter);
        chip.setAttribute("aria-pressed", String(pressed));
        count.textContent = (filter === "all" ? all : counts[filter]).toLocaleString("en");
      }
      found.textContent = shown.length === cases.length
        ? plural(cases.length, "case")
        : `${shown.length.toLocaleString("en")} of ${plural(cases.length, "case")}`;
    },
  };
}

function wordOf(filter: Filter): string {
  return filter === "flaky" ? "Flaky" : filter === "slow" ? "Slow" : STATUS_LABELS[filter];
}
