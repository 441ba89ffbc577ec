import type { Context, Hono } from "hono";
import type { Authenticate } from "../wire/session.ts";
import { checkFault, type Fault, FaultError, type Faults } from "./fault.ts";
import { hasScope } from "../tokens.ts";

/**
 * The endpoint that changes faults at run time; no real server has one. `GET` shows them, `POST` adds
 * one (`?now` does it at once), `DELETE` takes all away. It takes a token with the scope `admin`.
 */
export function addFaultRoutes(
  app: Hono,
  path: string,
  faults: Faults,
  authenticate: Authenticate,
): void {
  const guarded = (serve: (c: Context) => Response | Promise<Response>) => (c: Context) => {
    const token = (c.req.header("Authorization") ?? "").replace(/^Bearer /i, "");
    const identity = authenticate(token);
    if (!identity) return c.json({ error: "unauthorized" }, 401);
    return hasScope(identity, "admin") ? serve(c) : c.json({ error: "forbidden" }, 403);
  };
  const state = () => ({
    seed: faults.seed,
    faults: faults.list(),
    connections: faults.connections(),
  });
  app.get(path, guarded((c) => c.json(state())));
  app.delete(
    path,
    guarded((c) => {
      faults.clear();
      return c.json(state());
    }),
  );
  app.post(
    path,
    guarded(async (c) => {
      let fault: Fault;
      try {
        fault = checkFault(await c.req.json());
      } catch (error) {
        if (!(error instanceof FaultError || error instanceof SyntaxError)) throw error;
        return c.json({ error: error.message }, 400);
      }
      if (c.req.query("now") === undefined) faults.add(fault);
      // A restart ends this very request, so its end is not waited for.
      else if (fault.do === "restart") void faults.inject(fault);
      else await faults.inject(fault);
      return c.json(state());
    }),
  );
}
