import { request } from "node:http";
import type { CheckFigures, CheckRun, Incident } from "../../runner/health/model.ts";
import type { AccessOptions } from "../../runner/status/access.ts";
import { createStatusApp } from "../../runner/status/app.ts";
import { Metrics } from "../../runner/status/metrics.ts";
import { serve, type ServedPage } from "../../runner/status/serve.ts";
import type { CheckView, StatusSource } from "../../runner/status/status_source.ts";
import type { Clock } from "../../runtime/clock.ts";
import { systemClock } from "../../runtime/clock.ts";
import { runAt } from "./_health.ts";

/** The time of the pages. */
export const NOW = Date.UTC(2026, 0, 15, 12);

const FIGURES: CheckFigures = {
  day: { runs: 1_440, uptime: 1, p50_ms: 12, p95_ms: 40 },
  week: { runs: 10_080, uptime: 0.9999, p50_ms: 12, p95_ms: 40 },
  quarter: { runs: 129_600, uptime: 0.5, p50_ms: 12, p95_ms: 40 },
};

/** A check as the page shows it; it passes unless `more` says otherwise. */
export function view(id: string, more: Partial<CheckView> & { name?: string } = {}): CheckView {
  const { name = `Check ${id}`, ...rest } = more;
  return {
    check: {
      ...{ id, name, file: `recipes/${id}.yaml`, server: "example.com" },
      ...{ tags: ["core"], when: "every 1m" },
    },
    state: "passing",
    last: runAt(NOW - 60_000, true),
    next: NOW,
    bars: Array.from({ length: 60 }, (_, i) => ({
      at: NOW - (60 - i) * 60_000,
      verdict: i % 13 === 5 ? "failed" as const : "passed" as const,
      duration_ms: 10 + i % 7,
    })),
    figures: FIGURES,
    ...rest,
  };
}

/** A check that fails, with texts that must stay texts. */
export function failingView(id: string, hostile = "it is <b>false</b>"): CheckView {
  const last = {
    ...runAt(NOW - 60_000, false),
    failure: hostile,
    diagnostics: `error: ${hostile}`,
  };
  return view(id, { state: "alerting", last, incident: incident(id, hostile) });
}

/** An open incident of a check. */
export function incident(check: string, failure = "it is false"): Incident {
  const [since, raisedAt] = [NOW - 120_000, NOW - 60_000];
  const told = { tags: ["core"], targets: ["on-call"] };
  return {
    id: `${check}-1`,
    check,
    since,
    raisedAt,
    failures: 2,
    failure,
    flapping: false,
    ...told,
  };
}

/** Sends a request whose headers `fetch` would not let us choose. */
export function ask(
  url: string,
  headers: Record<string, string>,
  method = "GET",
): Promise<{ status: number; type: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers }, async (response) => {
      let body = "";
      for await (const chunk of response.setEncoding("utf8")) body += chunk;
      resolve({ status: response.statusCode!, type: response.headers["content-type"], body });
    }).on("error", reject).end();
  });
}

/** What a page shows, in memory. */
export class FakeSource implements StatusSource {
  tick = 0;
  why: string | undefined;
  /** Thrown by whatever reads it. */
  fault: Error | undefined;
  #listeners = new Set<(id?: string) => void>();

  #views: CheckView[];

  constructor(views: CheckView[]) {
    this.#views = views;
  }

  get views(): CheckView[] {
    if (this.fault) throw this.fault;
    return this.#views;
  }

  set views(views: CheckView[]) {
    this.#views = views;
  }

  /** How many live pages listen. */
  get listening(): number {
    return this.#listeners.size;
  }

  checks(): CheckView[] {
    return this.views;
  }

  check(id: string): CheckView | undefined {
    return this.views.find(({ check }) => check.id === id);
  }

  runs(id: string, limit: number, before = 1_000): (CheckRun & { id: number })[] {
    const { last } = this.check(id)!;
    return Array.from({ length: 200 }, (_, i) => ({ ...last!, id: 200 - i }))
      .filter((run) => run.id < before).slice(0, limit);
  }

  incidents(limit: number, id?: string): Incident[] {
    return this.views.flatMap((one) => one.incident ?? [])
      .filter(({ check }) => id === undefined || check === id).slice(0, limit);
  }

  sinceTick(): number {
    return this.tick;
  }

  problem(): string | undefined {
    return this.why;
  }

  listen(onChange: (id?: string) => void): () => void {
    this.#listeners.add(onChange);
    return () => this.#listeners.delete(onChange);
  }

  /** Replaces a check, as a run does. */
  change(view: CheckView): void {
    this.views = this.views.map((one) => one.check.id === view.check.id ? view : one);
    for (const listener of this.#listeners) listener(view.check.id);
  }

  /** Replaces all checks, as when files come and go. */
  replace(views: CheckView[]): void {
    this.views = views;
    for (const listener of this.#listeners) listener();
  }
}

/** A page that is served. */
export interface OpenPage extends AsyncDisposable, ServedPage {
  source: FakeSource;
  metrics: Metrics;
}

/** Serves a page, on a free port unless one is given. */
export async function openPage(
  views: CheckView[],
  { port = 0, ...options }: Partial<AccessOptions> & { clock?: Clock; port?: number } = {},
): Promise<OpenPage> {
  const source = new FakeSource(views);
  const metrics = new Metrics(source, "1.2.3");
  const app = await createStatusApp({
    ...{ token: undefined, isPublic: false, hosts: ["127.0.0.1"], clock: systemClock },
    ...options,
    ...{ source, metrics, version: "1.2.3" },
  });
  const page = await serve(app.fetch, "127.0.0.1", port);
  return { ...page, source, metrics, [Symbol.asyncDispose]: () => page.close() };
}
