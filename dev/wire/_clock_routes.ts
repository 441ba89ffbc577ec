import type { Context, Hono } from "hono";
import { isRecord } from "../../protocol/mod.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Duration, DurationError, parseDuration } from "../duration.ts";
import { adminOnly } from "../faults/fault_routes.ts";
import type { Authenticate } from "../tokens.ts";

/** A virtual clock. */
export interface AdvancedClock extends Clock {
  /** Moves it. */
  advance(duration: Duration): Promise<void>;
}

/**
 * Adds the endpoint that shows and advances a virtual clock, which real servers do not have. `GET`
 * shows the time, `POST` with `{"advance": "5m"}` moves it. The token needs the scope `admin`.
 */
export function addClockRoutes(
  app: Hono,
  path: string,
  clock: AdvancedClock,
  authenticate: Authenticate,
): void {
  const time = (c: Context) => c.json({ now: new Date(clock.now()).toISOString() });
  app.get(path, adminOnly(authenticate, time));
  app.post(
    path,
    adminOnly(authenticate, async (c) => {
      let ms: number;
      try {
        const body: unknown = await c.req.json();
        ms = parseDuration((isRecord(body) ? body.advance : body) as Duration);
      } catch (error) {
        if (!(error instanceof DurationError || error instanceof SyntaxError)) throw error;
        return c.json({ error: error.message }, 400);
      }
      await clock.advance(ms);
      return time(c);
    }),
  );
}
