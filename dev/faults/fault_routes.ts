import type { Context, Hono } from "hono";
import { checkFault, type Fault, FaultError, type Faults } from "./fault.ts";
import { type Authenticate, hasScope } from "../tokens.ts";

/** Answers a request. */
type Serve = (c: Context) => Response | Promise<Response>;

/** Returns a handler that serves only requests whose token has the scope `admin`. */
export function adminOnly(authenticate: Authenticate, serve: Serve): Serve {
  return (c) => {
    const token = (c.req.header("Authorization") ?? "").replace(/^Bearer /i, "");
    const identity = authenticate(token);
    if (!identity) return c.json({ error: "unauthorized" }, 401);
    return hasScope(identity, "admin") ? serve(c) : c.json({ error: "forbidden" }, 403);
  };
}

/**
 * Adds the endpoint that controls faults at run time, which real servers do not have. `GET` lists
 * the faults, `POST` adds one or injects it now (`?now`), `DELETE` removes all. The token needs the
 * scope `admin`.
 */
export function addFaultRoutes(
  app: Hono,
  path: string,
  faults: Faults,
  authenticate: Authenticate,
): void {
  const withAdmin = (serve: Serve) => adminOnly(authenticate, serve);
  const state = () => ({
    seed: faults.seed,
    faults: faults.list(),
    connections: faults.connections(),
  });
  app.get(path, withAdmin((c) => c.json(state())));
  app.delete(
    path,
    withAdmin((c) => {
      faults.clear();
      return c.json(state());
    }),
  );
  app.post(
    path,
    withAdmin(async (c) => {
      let fault: Fault;
      try {
        fault = checkFault(await c.req.json());
      } catch (error) {
        if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
        return c.json({ error: error.message }, 400);
      }
      if (c.req.query("now") === undefined) faults.add(fault);
      // A restart drops this request too, so waiting for it would never end.
      else if (fault.do === "restart") void faults.inject(fault);
      else await faults.inject(fault);
      return c.json(state());
    }),
  );
}
