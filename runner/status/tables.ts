import { html } from "hono/html";
import type { CheckRun, Incident } from "../health/model.ts";
import { durationText } from "../report/html/labels.ts";
import { escapeInvisible } from "../report/safe_text.ts";
import type { CheckView } from "./status_source.ts";

/** A piece of HTML, whose texts are escaped. */
export type Html = ReturnType<typeof html>;

/** The newest incidents of all checks. */
export function incidentSection(
  views: readonly CheckView[],
  incidents: readonly Incident[],
  hasDetails: boolean,
): Html {
  const names = new Map(views.map(({ check }) => [check.id, check.name]));
  return html`<section id="incidents">${incidentTable(incidents, hasDetails, names)}</section>`;
}

/** Incidents, of one check or with the names of several. */
export function incidentTable(
  incidents: readonly Incident[],
  hasDetails: boolean,
  names?: ReadonlyMap<string, string>,
): Html {
  if (incidents.length === 0) {
    return html`
      <h2>Incidents</h2>
      <p class="quiet">None.</p>
    `;
  }
  return html`
    <h2>Incidents</h2>
    <table>
      <thead>
        <tr>${names
          ? html`<th>Check</th>`
          : ""}<th>Since</th><th>Until</th><th>Failed runs</th>${hasDetails
          ? html`<th>Why</th>`
          : ""}</tr>
      </thead>
      <tbody>${incidents.map(({ check, since, resolvedAt, failures, failure, flapping }) =>
        html`<tr>${names ? html`<td>${shown(names.get(check) ?? check)}</td>` : ""}<td>${
          time(since)
        }</td><td>${resolvedAt === undefined ? "now" : time(resolvedAt)}</td><td>${failures}${
          flapping ? ", flapping" : ""
        }</td>${hasDetails ? html`<td>${shown(failure ?? "")}</td>` : ""}</tr>`
      )}</tbody>
    </table>
  `;
}

/** The runs of a check. */
export function runTable(runs: readonly CheckRun[], hasDetails: boolean): Html {
  if (runs.length === 0) return html``;
  return html`
    <h2>Last runs</h2>
    <table>
      <thead>
        <tr><th>Started</th><th>Result</th><th>Took</th>${hasDetails ? html`<th>Why</th>` : ""}</tr>
      </thead>
      <tbody>${runs.map(({ at, verdict, duration_ms, failure, flaky }) =>
        html`<tr><td>${time(at)}</td><td class="is-${verdict}"><span class="status">${verdict}${
          flaky ? ", flaky" : ""
        }</span></td><td>${durationText(duration_ms)}</td>${
          hasDetails ? html`<td>${shown(failure ?? "")}</td>` : ""
        }</tr>`
      )}</tbody>
    </table>
  `;
}

/** A time in UTC. */
export function time(at: number): Html {
  const iso = new Date(at).toISOString();
  return html`<time datetime="${iso}">${iso.slice(0, 19).replace("T", " ")}</time>`;
}

/** Makes invisible characters of a text visible. The template escapes the rest. */
export function shown(text: string): string {
  return escapeInvisible(text);
}
