import type { AdminAnswers } from "./_admin_answers.ts";
import { type AdminRoute, adminRoute } from "./_admin_router.ts";
import { MethodError, type ServerParts } from "./method.ts";

/** Creates the routes that the application around a real server has by itself. */
export function appRoutes(
  { state, startMs }: ServerParts,
  answers: AdminAnswers,
  routeCount: number,
): AdminRoute[] {
  const { clock } = state.timers;
  return [
    adminRoute("GET /_/info", () =>
      answers.json({
        name: "dispatch-dev",
        version: "0.1.0",
        description: "The embedded server",
        environment: "development",
        start_time: new Date(startMs).toISOString(),
        uptime: Math.round((clock.now() - startMs) * 1e6),
        go_version: "",
        services: [],
        routes: routeCount,
        extensions: [{
          name: "dispatch",
          version: "0.1.0",
          description: "Jobs, workflows and cron entries",
          dependencies: [],
          status: "started",
        }],
      })),
    adminRoute("GET /_/health", () => answers.json({ overall: "healthy", services: {} })),
    adminRoute("GET /_/health/live", () => answers.json({ status: "alive" })),
    adminRoute("GET /_/health/ready", () => answers.json({ status: "ready" })),
  ];
}

/**
 * Creates the routes that tell the ids of cron entries and dead letters. A real server has neither
 * them nor another way to learn an id; the server of the recordings had both.
 */
export function idRoutes({ state }: ServerParts, answers: AdminAnswers): AdminRoute[] {
  const { cronRows, deadLetterRows } = state.store;
  return [
    adminRoute("GET /_test/cron", ({ query }) => {
      const row = cronRows.get(query.get("name") ?? "");
      if (!row) throw new MethodError(404, "no cron entry has this name");
      return answers.json({ id: row.id });
    }),
    adminRoute("GET /_test/dlq", ({ query }) => {
      const entries = [...deadLetterRows.values()];
      const ids = entries.filter(({ job }) => job.id === query.get("job_id")).map(({ id }) => id);
      return answers.json({ ids });
    }),
  ];
}
