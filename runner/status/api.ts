import type { CheckRun, Incident } from "../health/model.ts";
import type { CheckView } from "./status_source.ts";

/** An object of JSON. */
export type Json = Record<string, unknown>;

/** A check as the API shows it. */
export function checkJson(view: CheckView, hasDetails: boolean): Json {
  const { check, state, next, last, figures, incident, problem, maintenanceUntil } = view;
  return {
    ...{ id: check.id, name: check.name, state },
    ...(next === undefined ? {} : { next_run: iso(next) }),
    ...(maintenanceUntil === undefined ? {} : { maintenance_until: iso(maintenanceUntil) }),
    ...(last ? { last_run: runJson(last, hasDetails) } : {}),
    ...(figures
      ? {
        figures: { "24h": figures.day, "7d": figures.week, "90d": figures.quarter },
      }
      : {}),
    ...(incident ? { incident: incidentJson(incident, hasDetails) } : {}),
    ...(hasDetails
      ? {
        ...{ file: check.file, server: check.server, tags: check.tags, schedule: check.when },
        ...(problem === undefined ? {} : { problem }),
      }
      : {}),
  };
}

/** A run as the API shows it. */
export function runJson(run: CheckRun & { id?: number }, hasDetails: boolean): Json {
  const { id, at, slot, verdict, duration_ms, lateness_ms, flaky, failure, steps } = run;
  return {
    ...(id === undefined ? {} : { id }),
    ...{ started: iso(at), due: iso(slot), verdict, duration_ms, lateness_ms, flaky },
    ...(hasDetails && failure !== undefined ? { failure } : {}),
    ...(hasDetails && id !== undefined ? { steps } : {}),
  };
}

/** An incident as the API shows it. */
export function incidentJson(incident: Incident, hasDetails: boolean): Json {
  const { id, check, since, raisedAt, resolvedAt, failures, failure, flapping } = incident;
  return {
    ...{ id, check, since: iso(since), raised: iso(raisedAt), failures, flapping },
    ...(resolvedAt === undefined ? {} : { resolved: iso(resolvedAt) }),
    ...(hasDetails && failure !== undefined ? { failure } : {}),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
