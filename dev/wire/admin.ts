import { type Authenticate, hasScope } from "../tokens.ts";
import { AdminAnswers } from "./_admin_answers.ts";
import { type AdminRequest, type AdminRoute, respond } from "./_admin_router.ts";
import { adminRoutes } from "./_admin_routes.ts";
import { appRoutes, idRoutes } from "./_app_routes.ts";
import { MethodError, type ServerParts } from "./method.ts";

/** Responds to a request; returns `undefined` if no route has its path. */
export type AdminApi = (request: Request) => Response | undefined;

/**
 * Creates the HTTP API for operators, which a real server has if it is built with the forge
 * extension.
 *
 * @param bases The paths of the API.
 */
export function createAdminApi(
  server: ServerParts,
  authenticate: Authenticate,
  bases: readonly string[],
): AdminApi {
  const { quirks } = server.state;
  const answers = new AdminAnswers(quirks["admin-twice"]);
  const refusal = ({ header }: AdminRequest): Response | undefined => {
    const token = (header("Authorization") ?? "").replace(/^Bearer /i, "");
    const identity = authenticate(token);
    if (!identity) return answers.error(401, "unauthorized");
    return hasScope(identity, "admin") ? undefined : answers.error(403, "forbidden");
  };
  const guarded = (route: AdminRoute): AdminRoute =>
    quirks["admin-open"]
      ? route
      : { ...route, serve: (request) => refusal(request) ?? route.serve(request) };
  const routes = adminRoutes(server, answers).map(guarded);
  const others = [
    ...appRoutes(server, answers, routes.length),
    ...idRoutes(server, answers).map(guarded),
  ];
  return (request) => {
    try {
      for (const base of bases) {
        const response = respond(routes, base, request);
        if (response) return response;
      }
      return respond(others, "", request);
    } catch (error) {
      if (!(error instanceof MethodError)) throw error;
      return answers.error(error.code, error.message);
    }
  };
}
