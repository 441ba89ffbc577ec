import { makeCaseView } from "./case_view.ts";
import { readReport, type ReportContext } from "./context.ts";
import { el } from "./dom.ts";
import { filterCases, type Filtered } from "./filter.ts";
import { makeHead } from "./head.ts";
import { listenToKeys } from "./keyboard.ts";
import { makeRunChart } from "./run_chart.ts";
import { CaseList } from "./list.ts";
import { makeOverview } from "./overview.ts";
import { readHash, type ViewState, writeHash } from "./state.ts";
import { makeToolbar } from "./toolbar.ts";
import { enableTooltips } from "./tooltip.ts";

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
const chart = makeRunChart(context);
const pane = el("div", { class: "pane" });
const main = el(
  "main",
  { class: "main" },
  el("section", { class: "side", "aria-label": "Cases" }, toolbar.element, list.element),
  pane,
);
document.body.append(
  makeHead(context),
  el("section", { class: "run-picture", "aria-label": "Timeline of the run" }, chart.element),
  main,
);
enableTooltips();
listenToKeys(context, { list, toolbar, move });
addEventListener("hashchange", () => show(readHash(location.hash), false));
showPane();
update();

/** Shows another view. A change by the user goes into the address and the history of the browser. */
function show(next: ViewState, byUser: boolean): void {
  const before = state;
  state = next;
  const filterKeys = ["query", "filters", "sort"] as const;
  if (filterKeys.some((key) => String(before[key]) !== String(next[key]))) {
    filtered = filterCases(report.cases, next);
  }
  const caseChanged = before.open !== next.open;
  if (byUser) {
    const address = writeHash(next) || location.pathname + location.search;
    if (caseChanged) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
  update();
  if (!caseChanged) return;
  showPane();
  // The focus follows the view: into the case, and back to the list.
  if (next.open === undefined) list.element.focus({ preventScroll: true });
  else pane.querySelector("h2")?.focus({ preventScroll: true });
}

function update(): void {
  list.update();
  toolbar.update();
  chart.update();
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
