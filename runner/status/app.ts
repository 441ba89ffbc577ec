import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { Clock } from "../../runtime/clock.ts";
import { ALL } from "../health/model.ts";
import { Access, type AccessOptions, type Sight } from "./access.ts";
import { checkJson, incidentJson, runJson } from "./api.ts";
import { badge } from "./badge.ts";
import { liveParts, type Part, sharedByPages } from "./live.ts";
import type { Metrics } from "./metrics.ts";
import { openApi } from "./openapi.ts";
import { PAGE_SCRIPT, PAGE_STYLE, policyHash } from "./page_style.ts";
import {
  checkDetails,
  checkPage,
  checkRow,
  failurePage,
  headline,
  loginPage,
  overviewPage,
} from "./pages.ts";
import { incidentSection } from "./tables.ts";
import { isHanging, overall, type StatusSource } from "./status_source.ts";

/** Settings of {@linkcode createStatusApp}. */
export interface StatusAppOptions extends AccessOptions {
  /** What it shows. */
  source: StatusSource;
  /** What Prometheus scrapes. */
  metrics: Metrics;
  /** The version of the runner. */
  version: string;
}

/** How many runs and incidents a page shows. */
const [SHOWN_RUNS, SHOWN_INCIDENTS] = [60, 20];

/** How many entries the API returns at most. */
const MOST = 500;

/** The most bytes of a form. */
const MAX_BODY = 4_096;

/** How many live pages may be open. */
const MOST_LIVE = 200;

/** What each request carries. */
type Env = {
  Variables: { sight: Sight };
  Bindings?: { incoming?: { socket: { remoteAddress?: string } } };
};

/** Creates the application that serves the page, the API, badges and metrics. */
export async function createStatusApp(options: StatusAppOptions): Promise<Hono<Env>> {
  const { source, metrics, version, clock } = options;
  const access = new Access(options);
  const policy = await contentPolicy();
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    if (!access.isForUs(c.req.raw.headers)) {
      return failure(c, 403, "this page has another address");
    }
    await next();
    c.header("content-security-policy", policy);
    c.header("x-content-type-options", "nosniff");
    // With `no-referrer` browsers would send forms with the `Origin` "null".
    c.header("referrer-policy", "same-origin");
    c.header("cache-control", "no-store");
  });
  app.get("/healthz", (c) => {
    const hangs = isHanging(source);
    const problem = source.problem();
    const text = hangs
      ? "the scheduler hangs\n"
      : problem === undefined
      ? "ok\n"
      : "ok, in memory\n";
    return c.text(text, hangs ? 503 : 200);
  });
  app.get("/favicon.svg", (c) => c.body(icon(overall(source.checks()).state), 200, SVG));
  const onError = (c: Context) => c.text("the form is too long\n", 413);
  app.post("/login", bodyLimit({ maxSize: MAX_BODY, onError }), async (c) => {
    // A body that is no form has no token.
    const { token } = await c.req.parseBody().catch((): { token?: string } => ({}));
    const cookie = access.hasToken && typeof token === "string"
      ? access.logIn(token, c.req.raw.headers, addressOf(c))
      : "wrong";
    if (cookie === "wrong") return c.html(loginPage(WRONG_TOKEN), 401);
    if (cookie === "too many") return c.html(loginPage(TOO_MANY), 429);
    c.header("set-cookie", cookie);
    return c.redirect("/", 303);
  });
  app.get("/login", (c) => c.html(loginPage("The token shows all details:")));
  app.post("/logout", (c) => {
    c.header("set-cookie", access.logOut(c.req.raw.headers));
    return c.redirect("/", 303);
  });
  app.use(async (c, next) => {
    const sight = access.sight(c.req.raw.headers, addressOf(c));
    const isPage = isForBrowser(c);
    if (sight === "too many") {
      return isPage ? c.html(loginPage(TOO_MANY), 429) : c.json({ error: TOO_MANY }, 429);
    }
    if (sight === "nothing" || sight === "wrong") {
      const form = sight === "wrong" ? WRONG_TOKEN : "This page needs a token:";
      return isPage ? c.html(loginPage(form), 401, CHALLENGE) : c.json(
        { error: `the token is ${sight === "wrong" ? sight : "missing"}` },
        401,
        CHALLENGE,
      );
    }
    c.set("sight", sight);
    return await next();
  });
  addPages(app, options, access);
  addApi(app, source, version);
  app.get("/metrics", async (c) => {
    const text = await metrics.text(c.get("sight") === "details");
    return c.body(text, 200, { "content-type": metrics.contentType });
  });
  const pages = { open: 0 };
  const shared = sharedByPages(clock, () => {
    const [views, incidents] = [source.checks(), source.incidents(SHOWN_INCIDENTS)];
    const section = (hasDetails: boolean) => String(incidentSection(views, incidents, hasDetails));
    return { headline: String(headline(views)), incidents: section(false), details: section(true) };
  });
  app.get("/live", (c) => {
    const maySee = access.sessionCheck(c.req.raw.headers);
    return live(c, { source, clock, maySee, pages, shared });
  });
  app.notFound((c) => failure(c, 404, "there is nothing here"));
  app.onError((_, c) => failure(c, 500, "this page has a fault"));
  return app;
}

/** The address that a request comes from: that of the proxy, if there is one. */
function addressOf(c: Context<Env>): string {
  return c.env?.incoming?.socket.remoteAddress ?? "";
}

/** Whether a person asks for a page, and no program. */
function isForBrowser(c: Context): boolean {
  return !c.req.path.startsWith("/api/") && c.req.header("accept")?.includes("text/html") === true;
}

/** Answers that a request fails: as a page, or as JSON. */
function failure(c: Context, status: 403 | 404 | 500, error: string): Response | Promise<Response> {
  return isForBrowser(c) ? c.html(failurePage(error), status) : c.json({ error }, status);
}

const NO_CHECK = "there is no such check";
const WRONG_TOKEN = "This token is wrong. Token:";
const TOO_MANY = "Too many wrong tokens: try again in a minute.";
const CHALLENGE = { "www-authenticate": "Bearer" };
const SVG = { "content-type": "image/svg+xml" };

function addPages(app: Hono<Env>, { source }: StatusAppOptions, access: Access): void {
  const contextOf = (c: Context<Env>) => ({
    hasDetails: c.get("sight") === "details",
    canLogIn: access.hasToken,
    problem: source.problem(),
  });
  app.get(
    "/",
    (c) => c.html(overviewPage(source.checks(), source.incidents(SHOWN_INCIDENTS), contextOf(c))),
  );
  app.get("/checks/:id", (c) => {
    const id = c.req.param("id");
    const view = source.check(id);
    if (!view) return failure(c, 404, NO_CHECK);
    const runs = source.runs(id, SHOWN_RUNS);
    const incidents = source.incidents(SHOWN_INCIDENTS, id);
    return c.html(checkPage(view, runs, incidents, contextOf(c)));
  });
  app.get("/badges/:name", (c) => {
    const [, id] = /^(.*)\.svg$/.exec(c.req.param("name")) ?? [];
    const view = id === undefined ? undefined : source.check(id);
    if (id === ALL) {
      const { state, text } = overall(source.checks());
      return c.body(badge("checks", text, state), 200, SVG);
    }
    if (!view) return c.json({ error: NO_CHECK }, 404);
    const share = view.figures?.week.uptime;
    const percent = share === undefined ? "" : ` ${(share * 100).toFixed(share === 1 ? 0 : 2)} %`;
    return c.body(badge(view.check.name, `${view.state}${percent}`, view.state), 200, SVG);
  });
}

function addApi(app: Hono<Env>, source: StatusSource, version: string): void {
  const details = (c: Context<Env>) => c.get("sight") === "details";
  const number = (text: string | undefined, fallback: number) => {
    const value = text === undefined ? fallback : Number(text);
    return Number.isSafeInteger(value) && value >= 1 ? value : undefined;
  };
  const badNumber = { error: "`limit` and `before` must be whole numbers of at least 1" };
  app.get("/api/v1/openapi.json", (c) => c.json(openApi(version)));
  app.get(
    "/api/v1/checks",
    (c) => c.json({ checks: source.checks().map((view) => checkJson(view, details(c))) }),
  );
  app.get("/api/v1/incidents", (c) => {
    const limit = number(c.req.query("limit"), 50);
    if (limit === undefined) return c.json(badNumber, 400);
    const incidents = source.incidents(Math.min(limit, MOST));
    return c.json({ incidents: incidents.map((one) => incidentJson(one, details(c))) });
  });
  app.get("/api/v1/checks/:id/*", async (c, next) => {
    if (!source.check(c.req.param("id"))) return c.json({ error: NO_CHECK }, 404);
    return await next();
  });
  app.get("/api/v1/checks/:id", (c) => {
    const view = source.check(c.req.param("id"));
    if (!view) return c.json({ error: NO_CHECK }, 404);
    return c.json(checkJson(view, details(c)));
  });
  app.get("/api/v1/checks/:id/runs", (c) => {
    const limit = number(c.req.query("limit"), 50);
    const before = number(c.req.query("before"), Number.MAX_SAFE_INTEGER);
    if (limit === undefined || before === undefined) return c.json(badNumber, 400);
    const runs = source.runs(c.req.param("id"), Math.min(limit, MOST), before);
    const last = runs.at(-1);
    return c.json({
      runs: runs.map((run) => runJson(run, details(c))),
      ...(last && runs.length === Math.min(limit, MOST) ? { next_before: last.id } : {}),
    });
  });
  app.get("/api/v1/checks/:id/incidents", (c) => {
    const limit = number(c.req.query("limit"), 50);
    if (limit === undefined) return c.json(badNumber, 400);
    const incidents = source.incidents(Math.min(limit, MOST), c.req.param("id"));
    return c.json({ incidents: incidents.map((one) => incidentJson(one, details(c))) });
  });
}

/** What live pages share, and what one of them needs. */
interface Live {
  source: StatusSource;
  clock: Clock;
  maySee: () => boolean;
  pages: { open: number };
  /** What all pages of all checks show, with and without details. */
  shared: () => { headline: string; incidents: string; details: string };
}

/** Sends the parts of a page that change: of all checks, or of one. */
function live(c: Context<Env>, { source, clock, maySee, pages, shared }: Live): Response {
  const id = c.req.query("check");
  if (id !== undefined && !source.check(id)) {
    return c.json({ error: NO_CHECK }, 404);
  }
  if (pages.open >= MOST_LIVE) return c.json({ error: "too many live pages are open" }, 503);
  pages.open++;
  const hasDetails = c.get("sight") === "details";
  let incidents: string | undefined;
  const draw = (changed: ReadonlySet<string>): Part[] => {
    if (id !== undefined) {
      const view = changed.has(id) ? source.check(id) : undefined;
      if (!view) return [];
      const [runs, own] = [source.runs(id, SHOWN_RUNS), source.incidents(SHOWN_INCIDENTS, id)];
      return [{ id: "details", html: String(checkDetails(view, runs, own, hasDetails)) }];
    }
    const rows = [...changed].flatMap((one) => source.check(one) ?? []).map((view) => ({
      id: `check-${view.check.id}`,
      html: String(checkRow(view, hasDetails)),
    }));
    const { headline, [hasDetails ? "details" : "incidents"]: latest } = shared();
    const isSame = latest === incidents;
    incidents = latest;
    const parts = [...rows, { id: "headline", html: headline }];
    return isSame ? parts : [...parts, { id: "incidents", html: latest }];
  };
  const mustReload = () => id === undefined || !source.check(id);
  const onEnd = () => void pages.open--;
  const stream = liveParts({ source, clock, draw, mustReload, maySee, onEnd });
  return c.body(stream, 200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
}

async function contentPolicy(): Promise<string> {
  return [
    "default-src 'none'",
    `script-src ${await policyHash(PAGE_SCRIPT)}`,
    `style-src ${await policyHash(PAGE_STYLE)}`,
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function icon(state: string): string {
  const isBad = state === "alerting" || state === "failing";
  const color = isBad ? "#d43c35" : state === "passing" ? "#2f9e64" : "#c98a1b";
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">` +
    `<circle cx="8" cy="8" r="7" fill="${color}"/></svg>`;
}
