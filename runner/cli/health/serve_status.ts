import type { Clock } from "../../../runtime/clock.ts";
import { createStatusApp } from "../../status/app.ts";
import { Metrics } from "../../status/metrics.ts";
import { serve, type ServedPage } from "../../status/serve.ts";
import type { CheckState, CheckView, StatusSource } from "../../status/status_source.ts";
import { VERSION } from "../command.ts";
import type { ListenOptions } from "./listen_option.ts";
import type { HealthEvent, Monitor, MonitoredCheck } from "./monitor.ts";

/**
 * Serves the page, the API, badges and metrics of a schedule.
 * @throws {Error} If the address cannot be listened on.
 */
export async function serveStatus(
  monitor: Monitor,
  { hostname, port, ...access }: ListenOptions,
  clock: Clock,
  targets: Iterable<string>,
): Promise<ServedPage> {
  const source = statusSource(monitor);
  const metrics = new Metrics(source, VERSION);
  for (const target of targets) metrics.addTarget(target);
  const unlisten = monitor.listen((event) => count(metrics, event));
  const app = await createStatusApp({ ...access, source, metrics, clock, version: VERSION });
  const page = await serve(app.fetch, hostname, port);
  return {
    url: page.url,
    close: async () => {
      unlisten();
      await page.close();
    },
  };
}

/** What the page reads, from what the monitor knows. */
export function statusSource(monitor: Monitor): StatusSource {
  const { store } = monitor;
  const viewOf = (monitored: MonitoredCheck) => checkView(monitored, monitor);
  return {
    checks: () => monitor.checks().map(viewOf),
    check: (id) => {
      const monitored = monitor.check(id);
      return monitored && viewOf(monitored);
    },
    runs: (id, limit, before) => store.runs(id, limit, before),
    incidents: (limit, id) => store.incidents(limit, id),
    sinceTick: () => monitor.sinceTick,
    problem: () => store.problem,
    listen: (onChange) =>
      monitor.listen((event) => {
        if (event.type === "finished" || event.type === "changed") onChange(event.check.check.id);
        if (event.type === "added" || event.type === "removed") onChange();
      }),
  };
}

function checkView(monitored: MonitoredCheck, monitor: Monitor): CheckView {
  const { check, problem } = monitored;
  const { last, bars, alert, incident } = monitor.store.status(check.id)!;
  const figures = monitor.store.figures(check.id);
  const next = monitor.nextRun(monitored);
  const maintenanceUntil = monitor.maintenanceUntil(monitored);
  const isOpen = alert.raised !== undefined;
  const state: CheckState = isOpen
    ? "alerting"
    : last && last.verdict !== "passed"
    ? "failing"
    : problem !== undefined
    ? "broken"
    : maintenanceUntil !== undefined
    ? "maintenance"
    : last
    ? "passing"
    : "pending";
  return {
    ...{ check, state, bars },
    ...(problem === undefined ? {} : { problem }),
    ...(maintenanceUntil === undefined ? {} : { maintenanceUntil }),
    ...(next === undefined ? {} : { next }),
    ...(last ? { last } : {}),
    ...(figures ? { figures } : {}),
    ...(isOpen && incident ? { incident } : {}),
  };
}

/** Counts what happens. */
function count(metrics: Metrics, event: HealthEvent): void {
  switch (event.type) {
    case "finished":
      return metrics.addRun(event.check.check.id, event.run);
    case "removed":
      return metrics.remove(event.check.check.id);
    case "notice":
      return metrics.addNotice(event.notice.kind);
    case "delivery":
      return metrics.addDelivery(event.delivery.target, event.delivery.outcome);
    case "schedule": {
      const { event: { type, entry, ...more } } = event;
      if (type === "skipped") metrics.addSkipped(entry.check.id, (more as { why: string }).why, 1);
      if (type === "missed") {
        metrics.addSkipped(entry.check.id, "missed", (more as { count: number }).count);
      }
    }
  }
}
