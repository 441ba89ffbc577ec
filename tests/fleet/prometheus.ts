/**
 * Runs a schedule with a real Prometheus that scrapes it and a real Alertmanager that it tells:
 * `node tests/fleet/prometheus.ts`. It needs `prometheus`, `promtool` and
 * `prometheus-alertmanager` on the `PATH`, as Debian's packages have them, and takes two minutes.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

// deno-lint-ignore no-explicit-any
type Json = any;

const root = join(import.meta.dirname!, "../..");
const folder = mkdtempSync(join(tmpdir(), "dispatch-prometheus-"));
const TOKEN = "page-token";
const running: ChildProcess[] = [];

async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function start(program: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const { DISPATCH_URL: _, ...outer } = process.env;
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...outer, ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  running.push(child);
  return child;
}

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

/** Waits until something has a result, which a test of it may take some time for. */
async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (let i = 0; i < 400; i++) {
    // Nobody listens at first.
    const result = await ask().catch(() => undefined);
    if (result !== undefined && result !== false) return result;
    await delay(200);
  }
  throw new Error(`It did not happen that ${what}`);
}

async function get(url: string): Promise<Json> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${TOKEN}` } });
  assert.ok(response.ok, `${url}: ${response.status}`);
  return await response.json();
}

const received: { status: string; alerts: Json[] }[] = [];
const receiver = createServer(async (request, response) => {
  received.push(JSON.parse((await request.toArray()).join("")));
  response.end();
}).listen(0, "127.0.0.1");
await once(receiver, "listening");
const [page, alertmanager, prometheus] = [await freePort(), await freePort(), await freePort()];

write(
  "alertmanager.yml",
  `route: { receiver: hook, group_wait: 1s, group_interval: 1s, group_by: [check] }
receivers:
  - name: hook
    webhook_configs:
      - url: http://127.0.0.1:${(receiver.address() as AddressInfo).port}
        send_resolved: true
`,
);
write(
  "prometheus.yml",
  `scrape_configs:
  - job_name: checks
    scrape_interval: 1s
    authorization: { credentials: ${TOKEN} }
    static_configs: [{ targets: ["127.0.0.1:${page}"] }]
`,
);
write(
  "health.yaml",
  `targets:
  am: { alertmanager: { url: "http://127.0.0.1:${alertmanager}", labels: { severity: page } } }
`,
);
const recipe = (holds: boolean) =>
  write(
    "orders.yaml",
    `name: Orders "1"
schedule: { every: 1s }
alert: { after: 2, to: [am] }
steps:
  - id: job
    enqueue: noop
  - wait: job
  - assert: ${holds ? "1 == 1" : "1 == 2"}
`,
  );

const web = (port: number) => `127.0.0.1:${port}`;
try {
  recipe(false);
  const startAlertmanager = () =>
    start("prometheus-alertmanager", [
      ...[
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        "--cluster.listen-address=",
      ],
      ...[`--web.listen-address=${web(alertmanager)}`, "--log.level=error"],
    ]);
  const first = startAlertmanager();
  start("prometheus", [
    ...["--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", "--log.level=error"],
    `--web.listen-address=${web(prometheus)}`,
  ]);
  const schedule = start(process.execPath, [
    ...[join(root, "runner.mjs"), "schedule", "orders.yaml", "--health", "health.yaml"],
    ...["--history", "health.db", "--listen", web(page), "--log", "json"],
  ], { DISPATCH_PAGE_TOKEN: TOKEN });

  const alerts = `http://${web(alertmanager)}/api/v2/alerts`;
  const [alert] = await until("Alertmanager has the alert", async () => {
    const found: Json[] = await get(alerts);
    return found.length > 0 && found;
  });
  const { alertname, check, recipe: name, severity } = alert.labels;
  assert.deepEqual(
    { alertname, check, name, severity },
    { alertname: "DispatchCheckFailed", check: "orders-1", name: 'Orders "1"', severity: "page" },
  );
  assert.match(alert.annotations.summary, /^ALERT Orders "1" has failed 2 times/);
  assert.ok(alert.generatorURL.endsWith(`${web(page)}/checks/orders-1`), alert.generatorURL);
  await until("the receiver is told of it", () => Promise.resolve(received.length > 0));
  assert.equal(received[0]!.status, "firing");
  process.stdout.write("raised: ok\n");

  const query = async (expr: string): Promise<Json[]> => {
    const url = `http://${web(prometheus)}/api/v1/query?query=${encodeURIComponent(expr)}`;
    return (await get(url)).data.result;
  };
  const valueOf = (expr: string, value: string) => async () =>
    (await query(expr))[0]?.value[1] === value;
  await until("Prometheus scrapes it", valueOf('up{job="checks"}', "1"));
  await until("the check is down", valueOf('dispatch_check_up{check="orders-1"}', "0"));
  await until("the alert is counted", valueOf("dispatch_check_alert", "1"));
  const dropped = 'dispatch_alert_deliveries_total{target="am",outcome="dropped"}';
  await until("drops are counted from 0 on", valueOf(dropped, "0"));
  process.stdout.write("scraped: ok\n");

  first.kill("SIGTERM");
  await once(first, "exit");
  startAlertmanager();
  await until("Alertmanager has the alert again", async () => (await get(alerts)).length > 0);
  process.stdout.write("told again: ok\n");

  recipe(true);
  await until("the check is up", valueOf('dispatch_check_up{check="orders-1"}', "1"));
  await until(
    "the receiver is told that it passes",
    () => Promise.resolve(received.some(({ status }) => status === "resolved")),
  );
  assert.equal(received.filter(({ status }) => status === "firing").length, 1);
  assert.deepEqual(await get(alerts), []);
  process.stdout.write("resolved: ok\n");

  const metrics = await fetch(`http://${web(page)}/metrics`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  const lint = spawnSync("promtool", ["check", "metrics"], {
    input: await metrics.text(),
    encoding: "utf8",
  });
  assert.deepEqual([lint.status, lint.stdout + lint.stderr], [0, ""]);
  process.stdout.write("promtool: ok\n");

  const { panels } = JSON.parse(readFileSync(join(root, "docs/health/grafana.json"), "utf8"));
  const empty: string[] = [];
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const asked = expr.replaceAll(/\$(job|check)/g, ".*")
        .replaceAll("$__rate_interval", "1m").replaceAll("$__range", "1h");
      if ((await query(asked)).length === 0) empty.push(title);
    }
  }
  // Nothing was left out yet, unless the machine was busy.
  assert.deepEqual(empty.filter((title) => title !== "Times without a run"), []);
  process.stdout.write("dashboard: ok\n");

  schedule.kill("SIGTERM");
  const [code] = await once(schedule, "exit");
  assert.ok([0, 130].includes(code), `${code}`);
  process.stdout.write("stopped: ok\n");
} finally {
  for (const child of running) if (child.exitCode === null) child.kill("SIGKILL");
  receiver.close();
  receiver.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}
