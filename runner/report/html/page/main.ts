import { makeCaseView } from "./case_view.ts";
import { readReport, type ReportContext } from "./context.ts";
import { el } from "./dom.ts";
import { filterCases, type Filtered } from "./filter.ts";
import { makeHead } from "./head.ts";
import { listenToKeys } from "./keyboard.ts";
import { makeLanesPicture } from "./run_chart.ts";
import { CaseList } from "./list.ts";
import { makeOverview } from "./overview.ts";
import { readHash, type ViewState, writeHash } from "./state.ts";
import { makeToolbar } from "./toolbar.ts";
import { watchTooltips } from "./tooltip.ts";

const report = readReport();
let state = readHash(location.hash);
let filtered: Filtered = filterCases(report.cases, state);

const context: ReportContext = {
  ...report,
  state: () => state,
  filtered: () => filtered,
  change: (part) => show({ ...state, ...part }, true),
};

const list = new CaseList(context);
const toolbar = makeToolbar(context);
const picture = makeLanesPicture(context);
const pane = el("div", { class: "pane" });
const main = el(
  "main",
  { class: "main" },
  el("section", { class: "side", "aria-label": "Cases" }, toolbar.element, list.element),
  pane,
);
document.body.append(
  makeHead(context),
  el("section", { class: "run-picture", "aria-label": "The run over time" }, picture.element),
  main,
);
watchTooltips();
listenToKeys(context, { list, toolbar, move });
addEventListener("hashchange", () => show(readHash(location.hash), false));
showPane();
update();

/** Shows another state. What a person did is kept in the address, and can be gone back from. */
function show(next: ViewState, byPerson: boolean): void {
  const before = state;
  state = next;
  if (["query", "filters", "sort"].some((key) => differs(before, next, key as keyof ViewState))) {
    filtered = filterCases(report.cases, next);
  }
  const opened = before.open !== next.open;
  if (byPerson) {
    const address = writeHash(next) || location.pathname + location.search;
    if (opened) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
  update();
  if (!opened) return;
  showPane();
  // The keyboard goes where the reader looks: into the case, and back to where it was.
  if (next.open === undefined) list.element.focus({ preventScroll: true });
  else pane.querySelector("h2")?.focus({ preventScroll: true });
}

function differs(a: ViewState, b: ViewState, key: keyof ViewState): boolean {
  return String(a[key]) !== String(b[key]);
}

function update(): void {
  list.update();
  toolbar.update();
  picture.update();
}

function showPane(): void {
  const reportCase = state.open === undefined
    ? undefined
    : report.cases.find(({ number }) => number === state.open);
  document.documentElement.classList.toggle("has-case", reportCase !== undefined);
  pane.replaceChildren(
    reportCase ? makeCaseView(reportCase, context, move) : makeOverview(context),
  );
  pane.scrollTop = 0;
}

function move(by: number): void {
  list.move(by);
  const { current } = list;
  if (state.open !== undefined && current) context.change({ open: current.number });
}
