import type { ReportContext } from "./context.ts";
import { openHelp } from "./help.ts";
import type { CaseList } from "./list.ts";
import { toggleTheme } from "./theme.ts";
import type { Toolbar } from "./toolbar.ts";

/** The parts of the page that keys control. */
export interface KeyboardTargets {
  /** The list of cases. */
  list: CaseList;
  /** The search and filters. */
  toolbar: Toolbar;
  /** Moves in the list by a number of rows, and opens the new case if a case is open. */
  move: (by: number) => void;
}

/** Handles the keyboard shortcuts of the page. */
export function listenToKeys(context: ReportContext, targets: KeyboardTargets): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const target = event.target as Element;
    const handled = target.matches("input, select, textarea")
      ? onKeyInField(event, target, context, targets)
      : onKeyInPage(event, target, context, targets);
    if (handled) event.preventDefault();
  });
}

function onKeyInField(
  { key }: KeyboardEvent,
  field: Element,
  { state, change }: ReportContext,
  { list }: KeyboardTargets,
): boolean {
  if (!field.matches("input")) return false;
  if (key === "Escape") {
    if (state().query !== "") change({ query: "" });
    else list.element.focus();
    return true;
  }
  if (key === "Enter") {
    const { current } = list;
    if (current) change({ open: current.number });
    return true;
  }
  if (key !== "ArrowDown") return false;
  list.element.focus();
  return true;
}

function onKeyInPage(
  event: KeyboardEvent,
  target: Element,
  context: ReportContext,
  { list, toolbar, move }: KeyboardTargets,
): boolean {
  const { state, change } = context;
  switch (event.key) {
    case "/":
      toolbar.focus();
      return true;
    case "?":
      openHelp();
      return true;
    case "t":
      toggleTheme();
      return true;
    case "j":
      move(1);
      return true;
    case "k":
      move(-1);
      return true;
    case "n":
      openNextNotPassed(context, list);
      return true;
    case "Escape":
      if (state().open !== undefined) change({ open: undefined });
      else change({ query: "", filters: [] });
      return true;
  }
  // Outside of the list these keys scroll and press buttons.
  if (target !== list.element && target !== document.body) return false;
  switch (event.key) {
    case "ArrowDown":
      move(1);
      return true;
    case "ArrowUp":
      move(-1);
      return true;
    case "PageDown":
      list.move(list.pageSize);
      return true;
    case "PageUp":
      list.move(-list.pageSize);
      return true;
    case "Home":
      list.moveTo(0);
      return true;
    case "End":
      list.moveTo(Infinity);
      return true;
    case "Enter":
    case " ": {
      const { current } = list;
      if (current) change({ open: current.number });
      return true;
    }
  }
  return false;
}

function openNextNotPassed({ filtered, change }: ReportContext, list: CaseList): void {
  const { shown } = filtered();
  const from = list.current ? shown.indexOf(list.current) + 1 : 0;
  const order = [...shown.slice(from), ...shown.slice(0, from)];
  const next = order.find(({ status }) => status !== "passed" && status !== "skipped");
  if (next) change({ open: next.number });
}
