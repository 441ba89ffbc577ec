import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parseArgs } from "../../runner/cli/args.ts";
import { schedule } from "../../runner/cli/commands/schedule.ts";
import { listenOption } from "../../runner/cli/health/listen_option.ts";
import { Metrics } from "../../runner/status/metrics.ts";
import { runAt } from "./_health.ts";
import { failingView, FakeSource, NOW, view } from "./_page.ts";

const read = (name: string) =>
  readFile(new URL(`../../docs/health/${name}`, import.meta.url), "utf8");

/** What Prometheus finds after a run, a skipped time, a notice and a delivery. */
async function metricsText(): Promise<string> {
  const metrics = new Metrics(new FakeSource([view("a"), failingView("b")]), "1.2.3");
  const step = { number: "1", label: "noop", status: "passed", duration_ms: 5, wait: true };
  metrics.addRun("a", { ...runAt(NOW, true), steps: [step as never] });
  metrics.addSkipped("a", "missed", 1);
  metrics.addNotice("raised");
  metrics.addDelivery("ops", "delivered");
  return await metrics.text();
}

/** The labels of each series that Prometheus finds, by its name. */
async function scrape(): Promise<Map<string, Set<string>>> {
  const series = new Map<string, Set<string>>();
  for (const line of (await metricsText()).split("\n")) {
    const [, name, labels = ""] = /^([a-z_]+)(?:\{(.*)\})? /.exec(line) ?? [];
    if (name === undefined) continue;
    // Prometheus adds the job itself.
    series.set(name, new Set(["job", ...labels.matchAll(/(\w+)="/g).map(([, label]) => label!)]));
  }
  return series;
}

interface Panel {
  id: number;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets: { expr: string; legendFormat?: string }[];
}

test("the dashboard asks for series and labels that there are", async () => {
  const { panels, templating } = JSON.parse(await read("grafana.json")) as {
    panels: Panel[];
    templating: { list: { definition?: string }[] };
  };
  const series = await scrape();
  const asked = new Set<string>();
  const texts = panels.flatMap(({ targets }) => targets)
    .concat(templating.list.map(({ definition = "" }) => ({ expr: definition })));
  for (const { expr, legendFormat = "" } of texts) {
    const names = [...expr.matchAll(/dispatch_\w+/g)].map(([name]) => name);
    for (const name of names) {
      asked.add(name);
      ok(series.has(name), name);
    }
    const selected = [...expr.matchAll(/(dispatch_\w+)\{(.*?)\}/g)];
    for (const [, name, selectors] of selected) {
      for (const [, label] of selectors!.matchAll(/(\w+)(?:=|!=)~?"/g)) {
        ok(series.get(name!)!.has(label!), `${label} in ${expr}`);
      }
    }
    const grouped = [...expr.matchAll(/by \((.*?)\)/g)].flatMap(([, names]) => names!.split(", "));
    for (const label of grouped) ok(series.get(names[0]!)!.has(label), `${label} in ${expr}`);
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      ok(grouped.length > 0 ? grouped.includes(label!) : series.get(names[0]!)!.has(label!), expr);
    }
  }
  // A histogram is asked for by its buckets.
  const shown = [...series.keys()].filter((name) => !/_(sum|count)$/.test(name));
  deepEqual(shown.filter((name) => !asked.has(name)), []);
});

test("the page about health checks names each metric with its type and labels", async () => {
  const page = await readFile(new URL("../../docs/health.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| `(dispatch_\w+)` +\| (\w+) +\| (.*?) +\|/gm)];
  const written = rows.map(([, name, type, labels]) =>
    `${name} ${type} ${[...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort()}`
  );
  const series = await scrape();
  const there = [...(await metricsText()).matchAll(/^# TYPE (\w+) (\w+)$/gm)]
    .map(([, name, type]) => {
      const labels = series.get(type === "histogram" ? `${name}_sum` : name!)!;
      return `${name} ${type} ${[...labels].filter((label) => label !== "job").sort()}`;
    });
  deepEqual(written.sort(), there.sort());
});

test("the panels of the dashboard lie side by side", async () => {
  const { panels } = JSON.parse(await read("grafana.json")) as { panels: Panel[] };
  const taken = new Map<string, string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    ok(x + w <= 24, title);
    for (let i = 0; i < w * h; i++) {
      const cell = `${x + i % w} ${y + Math.floor(i / w)}`;
      equal(taken.get(cell), undefined, title);
      taken.set(cell, title);
    }
  }
  equal(new Set(panels.map(({ id }) => id)).size, panels.length);
});

test("the unit for systemd runs `schedule` with options that it has", async () => {
  const unit = await read("dispatch-schedule.service");
  deepEqual(unit.match(/^\[.*\]$/gm), ["[Unit]", "[Service]", "[Install]"]);
  const value = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(unit)![1]!;
  const [program, command, ...args] = value("ExecStart").split(" ");
  deepEqual([program, command], ["/usr/local/bin/dispatch", "schedule"]);
  const { positional, values } = parseArgs(args, schedule.options);
  deepEqual(positional, ["/etc/dispatch/recipes"]);
  // The history is in the one directory that the service can write to.
  equal(values.history, `/var/lib/${value("StateDirectory")}/health.db`);
  // What it exits with when it is stopped, and when another start would end the same.
  match(schedule.details!, /130 interrupted during a run/);
  deepEqual([value("SuccessExitStatus"), value("RestartPreventExitStatus")], ["130", "2 4"]);
});

test("a port alone is one of this machine", () => {
  const read = (listen: string) =>
    listenOption(parseArgs([`--listen=${listen}`], schedule.options), () => undefined)!;
  const { hostname, port, hosts, linkTo } = read("9600");
  deepEqual([hostname, port, linkTo("a")], ["127.0.0.1", 9600, "http://127.0.0.1:9600/checks/a"]);
  deepEqual(hosts, read("127.0.0.1:9600").hosts);
  for (const wrong of ["96000", "example.com", "9600/", "http://127.0.0.1:9600"]) {
    const message = `--listen must be an address and a port such as 127.0.0.1:9600, not '${wrong}'`;
    throws(() => read(wrong), { message });
  }
  // All addresses of the machine are not.
  throws(() => read(":9600"), /can be reached from elsewhere/);
});

test("probes and scrapers reach a page by its address, whatever its public one is", () => {
  const hostsOf = (...args: string[]) =>
    listenOption(parseArgs(args, schedule.options), () => "s3cret")!.hosts;
  const behindProxy = "--public-url=https://checks.example.com";
  equal(hostsOf("--listen=0.0.0.0:9600", behindProxy), "any");
  const local = hostsOf("--listen=127.0.0.1:9600", behindProxy);
  deepEqual(local, ["localhost", "127.0.0.1", "[::1]", "checks.example.com"]);
});
