import { Hono } from "hono";
import { errorText } from "../engine/errors.ts";
import type { Faults } from "../faults/fault.ts";
import { addFaultRoutes } from "../faults/fault_routes.ts";
import { NOT_AN_UPGRADE, rejectionResponse } from "../listen/handshake.ts";
import type { Authenticate } from "../tokens.ts";
import { createAdminApi } from "./admin.ts";
import { addClockRoutes, type AdvancedClock } from "./_clock_routes.ts";
import { handleRpc } from "./_rpc.ts";
import { handleSse } from "./_sse.ts";
import type { ServerParts } from "./method.ts";

/** Settings of {@linkcode createApp}. */
export interface AppOptions {
  server: ServerParts;
  authenticate: Authenticate;
  /** The path of the WebSocket endpoint; the others are below it. */
  path: string;
  /** The paths of the admin API. */
  adminPaths: readonly string[];
  faults: Faults;
}

/** A `%` in a path that is not followed by two hexadecimal digits, which Go's HTTP server refuses. */
const BROKEN_ESCAPE = /%(?![\da-f]{2})/i;

function methodNotAllowed(): Promise<Response> {
  return Promise.resolve(new Response(null, { status: 405 }));
}

/**
 * Creates the application that handles HTTP requests: RPC, SSE, the admin API and the control
 * of faults.
 */
export function createApp(
  { server, authenticate, path, adminPaths, faults }: AppOptions,
): Hono {
  const app = new Hono({ strict: false });
  app.use((c, next) => {
    const isBroken = BROKEN_ESCAPE.test(new URL(c.req.url).pathname);
    if (!isBroken) return next();
    return Promise.resolve(rejectionResponse({ status: 400, text: "400 Bad Request" }));
  });
  for (const route of [path, `${path}/rpc`, `${path}/sse`]) {
    // Hono would handle HEAD as GET, and open a stream of events.
    app.use(route, (c, next) => c.req.method === "HEAD" ? methodNotAllowed() : next());
  }
  const admin = createAdminApi(server, authenticate, adminPaths);
  app.use(async (c, next) => admin(c.req.raw) ?? await next());
  const { clock } = server.state.timers;
  if ("advance" in clock) {
    addClockRoutes(app, `${path}/clock`, clock as AdvancedClock, authenticate);
  }
  addFaultRoutes(app, `${path}/faults`, faults, authenticate);
  app.post(`${path}/rpc`, (c) => handleRpc(c, server, authenticate));
  app.get(`${path}/sse`, (c) => handleSse(c, server, authenticate));
  // Upgrades never get here: the runtime's adapter handles them.
  app.get(path, () => rejectionResponse(NOT_AN_UPGRADE));
  for (const route of [path, `${path}/rpc`, `${path}/sse`]) {
    app.all(route, methodNotAllowed);
  }
  const headers = { "X-Content-Type-Options": "nosniff" };
  app.onError((error) => {
    server.state.log(`internal error: ${errorText(error)}`);
    return rejectionResponse({ status: 500, text: "internal error\n" });
  });
  app.notFound(() => rejectionResponse({ status: 404, text: "404 page not found\n", headers }));
  return app;
}
