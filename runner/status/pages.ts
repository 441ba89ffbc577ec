import { html, raw } from "hono/html";
import { durationText } from "../report/html/labels.ts";
import type { CheckFigures, CheckRun, Figures, Incident } from "../health/model.ts";
import { latencyPicture, runBars } from "./pictures.ts";
import { PAGE_SCRIPT, PAGE_STYLE } from "./page_style.ts";
import { type Html, incidentSection, incidentTable, runTable, shown, time } from "./tables.ts";
import { type CheckState, type CheckView, overall, problemText } from "./status_source.ts";

/** The words for states. */
const LABELS: Readonly<Record<CheckState, string>> = {
  alerting: "Alert",
  failing: "Failing",
  broken: "Broken file",
  maintenance: "Maintenance",
  passing: "Passing",
  pending: "Not run yet",
};

/** What a page shows besides its own. */
export interface PageContext {
  /** Whether failures, files and servers are shown. */
  hasDetails: boolean;
  /** Whether a token would show more. */
  canLogIn: boolean;
  /** Why the history cannot be written. */
  problem: string | undefined;
}

/** The page of all checks. */
export function overviewPage(
  views: readonly CheckView[],
  incidents: readonly Incident[],
  context: PageContext,
): Html {
  const rows = views.map((view) => checkRow(view, context.hasDetails));
  return document("Checks", "/live", [
    header("Checks", context),
    problemNote(context),
    headline(views),
    html`
      <main><h2>Checks</h2><div class="checks">${rows}</div>${incidentSection(
        views,
        incidents,
        context.hasDetails,
      )}</main>
    `,
    footer(),
  ]);
}

/** What is so, in one line. */
export function headline(views: readonly CheckView[]): Html {
  const { state, text } = overall(views);
  return html`<p class="headline is-${state}" id="headline" role="status">${sentence(text)}</p>`;
}

/** A check among others. */
export function checkRow(
  { check, state, last, bars, figures, problem }: CheckView,
  hasDetails: boolean,
): Html {
  const failure = last?.verdict === "passed" ? undefined : last?.failure;
  const why = hasDetails ? problem ? problemText(problem) : failure : "";
  return html`
    <section class="check is-${state}"
      id="check-${check.id}"><div><a class="name" href="/checks/${check.id}">${shown(
        check.name,
      )}</a> <span class="status">${LABELS[state]}</span>${hasDetails
        ? html`
          <span class="quiet">${shown(check.when)}</span>
        `
        : ""}</div>${raw(runBars(bars))}<div class="number">${percent(
          figures?.day.uptime,
        )}<small>24 h</small></div><div class="number week">${percent(
          figures?.week.uptime,
        )}<small>7 d</small></div>${why ? html`<div class="why">${shown(why)}</div>` : ""}</section>
  `;
}

/** The page of one check. */
export function checkPage(
  view: CheckView,
  runs: readonly CheckRun[],
  incidents: readonly Incident[],
  context: PageContext,
): Html {
  const { check } = view;
  return document(check.name, `/live?check=${encodeURIComponent(check.id)}`, [
    header(check.name, context),
    problemNote(context),
    html`<nav><a href="/">All checks</a></nav>`,
    checkDetails(view, runs, incidents, context.hasDetails),
    footer(),
  ]);
}

/** What the page of a check shows of it. */
export function checkDetails(
  { check, state, figures, next, maintenanceUntil, problem, bars }: CheckView,
  runs: readonly CheckRun[],
  incidents: readonly Incident[],
  hasDetails: boolean,
): Html {
  const failed = runs.find(({ verdict }) => verdict !== "passed");
  return html`
    <main
      id="details"><p class="headline is-${state}" role="status">${LABELS[
        state
      ]}${maintenanceUntil === undefined ? "" : html`
        until ${time(maintenanceUntil)}
      `}</p>${hasDetails && problem
        ? html`<p class="note">The file is broken: ${shown(problemText(problem))}</p>`
        : ""}<dl class="facts">${facts(figures)}<div><dt>Next run</dt><dd>${next === undefined
        ? "none"
        : time(next)}</dd></div></dl>${hasDetails
        ? html`<p class="quiet">${shown(`${check.file}, ${check.server}, ${check.when}`)} ${
          check.tags.map((tag) =>
            html`
              <span class="tag">${shown(tag)}</span>
            `
          )
        }</p>`
        : ""}<h2>Durations</h2>${raw(latencyPicture(bars))}${hasDetails && failed
        ? lastFailure(failed)
        : ""}${incidentTable(incidents, hasDetails)}${runTable(runs, hasDetails)}</main>
  `;
}

/** The page that asks for the token. */
export function loginPage(message: string): Html {
  return document("Token", undefined, [
    html`
      <main>
        <form class="login" method="post"
          action="/login"><h1>Token</h1><label for="token">${shown(
            message,
          )}</label><input id="token" name="token" type="password" autocomplete="current-password" required><button class="button">Show</button></form>
      </main>
    `,
  ]);
}

/** The page for a request that fails. */
export function failurePage(problem: string): Html {
  const text = sentence(problem);
  return document(text, undefined, [
    html`
      <header>
        <h1>${text}</h1>
      </header>
      <main>
        <p><a href="/">All checks</a></p>
      </main>
    `,
  ]);
}

function lastFailure({ at, failure, diagnostics }: CheckRun): Html {
  return html`<h2>Last failure</h2><p>${time(at)}: ${shown(failure ?? "")}</p>${
    diagnostics ? html`<pre class="diagnostics">${shown(diagnostics)}</pre>` : ""
  }`;
}

function facts(figures: CheckFigures | undefined): Html[] {
  const periods = [["24 h", figures?.day], ["7 d", figures?.week], ["90 d", figures?.quarter]] as [
    string,
    Figures | undefined,
  ][];
  return periods.map(([name, one]) => {
    const times = one?.p50_ms === undefined
      ? ""
      : `p50 ${durationText(one.p50_ms)}, p95 ${durationText(one.p95_ms!)}`;
    return html`
      <div>
        <dt>Uptime ${name}</dt>
        <dd>${percent(one?.uptime)} <small>${times}</small></dd>
      </div>
    `;
  });
}

function document(title: string, live: string | undefined, parts: readonly Html[]): Html {
  return html`
    <!doctype html>
    <html lang="en" ${live === undefined ? "" : html`
      data-live="${live}"
    `}>
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta name="referrer" content="same-origin">
        <title>${shown(title)}</title>
        <link rel="icon" href="/favicon.svg">
        <style>${raw(PAGE_STYLE)}</style>
      </head>
      <body>
    ${live === undefined ? "" : OFFLINE}${parts}
    <script>${raw(PAGE_SCRIPT)}</script>
      </body>
    </html>
  `;
}

/** Shown by the script while nothing is heard of the schedule. */
const OFFLINE = html`
  <p class="note" id="offline" role="alert" hidden>Not connected: this page may be out of date.</p>
`;

function header(title: string, { hasDetails, canLogIn }: PageContext): Html {
  const action = !canLogIn
    ? ""
    : hasDetails
    ? html`<form method="post" action="/logout"><button class="button">Log out</button></form>`
    : html`<a class="button" href="/login">Details</a>`;
  return html`<header><h1>${shown(title)}</h1>${action}</header>`;
}

function problemNote({ problem, hasDetails }: PageContext): Html {
  if (problem === undefined) return html``;
  const why = hasDetails ? `: ${problem}` : "";
  return html`<p class="note">What happens now is kept in memory only${shown(why)}</p>`;
}

function footer(): Html {
  return html`<footer>Times are in UTC. <a href="/api/v1/checks">API</a></footer>`;
}

function percent(share: number | undefined): string {
  if (share === undefined) return "–";
  // 99.999 % must not look like all of it.
  const text = share === 1 ? "100" : Math.min(99.99, share * 100).toFixed(2);
  return `${text} %`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
