import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openReporter } from "../../runner/report/otel/otel.ts";
import { NotInstalledError } from "../../runner/report/otel/packages.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { readJson, ROOT } from "../project/sources.ts";
import { RunnerProcess } from "../runner/_process.ts";
import { runRecipe } from "../runner/_recipe.ts";
import { Collector } from "./_collector.ts";
import { sampleRun } from "./_events.ts";

const RECIPE = "name: One\nsteps: [{ assert: 1 == 1 }]\n";
const SECRET = "Bearer very-secret";

/** Runs a passing recipe with these variables. */
function runExporting(env: Record<string, string>, args: string[] = []) {
  return runRecipe(RECIPE, args, {
    env: { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(SECRET)}`, ...env },
  });
}

/** Adds credentials to an address wherever it can contain some. */
function secretUrl(url: string): string {
  const { host } = new URL(url);
  return `http://user-secret:pass-secret@${host}?key=query-secret`;
}

function assertNoSecret(text: string): void {
  ok(!text.includes("secret"), text);
}

test("warns of a collector that answers 500, without secrets", async () => {
  await using collector = await Collector.start();
  collector.answer = 500;
  const { code, err, events } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: secretUrl(collector.url),
  });
  equal(code, 0);
  equal(events.at(-1)?.type, "run.finished");
  match(
    err,
    /^warning: reporter otel failed: Cannot export traces to 'http:\/\/127\.0\.0\.1:\d+\/v1\/traces': 500 Internal Server Error; Cannot export metrics to /m,
  );
  equal(err.match(/^warning/gm)?.length, 1);
  assertNoSecret(err);
  equal(collector.requests[0]?.headers.authorization !== undefined, true);
});

test("warns of a collector that refuses the connection", async () => {
  const gone = await Collector.start();
  const url = secretUrl(gone.url);
  await gone[Symbol.asyncDispose]();
  const { code, err } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "50",
  });
  equal(code, 0);
  match(err, /^warning: reporter otel failed: Cannot export traces to .*ECONNREFUSED/m);
  assertNoSecret(err);
});

/** Exports a run to a collector that never answers, with a clock that stands still. */
async function exportToSilentCollector(env: Record<string, string> = {}) {
  const collector = await Collector.start();
  collector.answer = "nothing";
  const clock = new FakeClock();
  const all: Record<string, string> = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env };
  const reporter = await openReporter({ clock, env: (name) => all[name] });
  for (const event of sampleRun()) reporter.report(event);
  const finished = Promise.resolve(reporter.finish!());
  await collector.received(2);
  return { clock, finished, [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose]() };
}

test("gives up on a silent collector after five seconds", async () => {
  await using exporting = await exportToSilentCollector();
  const { clock, finished } = exporting;
  clock.advance(4999);
  equal(clock.pending, 2);
  clock.advance(1);
  await rejects(finished, /Cannot export traces to .*: no answer within 5000 ms; .* metrics/);
  equal(clock.pending, 0);
});

test("OTEL_EXPORTER_OTLP_TIMEOUT shortens that limit", async () => {
  await using exporting = await exportToSilentCollector({
    OTEL_EXPORTER_OTLP_TIMEOUT: "4000",
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "3000",
  });
  const { clock, finished } = exporting;
  deepEqual(clock.due, [3000, 4000]);
  clock.advance(4000);
  await rejects(finished, /traces to .*: no answer within 4000 ms; .*: no answer within 3000 ms$/);
});

test("keeps the verdict of a failed run", async () => {
  await using collector = await Collector.start();
  collector.answer = 500;
  const { code } = await runRecipe("name: x\nsteps: [{ assert: 1 == 2 }]\n", [], {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  equal(code, 1);
});

test("warns of invalid variables without their values", async () => {
  for (const url of ["secret-host:4318", "ftp://secret/", "secret"]) {
    const { code, err } = await runExporting({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    equal(code, 0);
    match(err, /^warning: reporter otel failed: Cannot use OTEL_EXPORTER_OTLP_ENDPOINT/m);
    assertNoSecret(err);
  }
  const { code, err } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  });
  equal(code, 0);
  match(err, /Cannot export over grpc/);
});

test("can be named on the command line, and refuses a file", async () => {
  await using collector = await Collector.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  equal((await runExporting(env, ["--reporter", "otel"])).code, 0);
  equal(collector.requests.length, 2);
  const { code, err } = await runExporting(env, ["--reporter", "otel=x"]);
  equal(code, 2);
  match(err, /Reporter otel does not write a file/);
});

test("lets the process end, whatever the collector does", async () => {
  await using collector = await Collector.start();
  const run = async (answer: typeof collector.answer, env: Record<string, string> = {}) => {
    collector.answer = answer;
    const child = new RunnerProcess(["runner.ts", "recipes/order-smoke.yaml", "--quiet"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ...env,
    });
    equal(await child.exit(), 0, child.output);
    return child.output;
  };
  ok(!(await run(200)).includes("warning"));
  equal(collector.span("Order smoke").status.code, 1);
  match(
    await run("nothing", { OTEL_EXPORTER_OTLP_TIMEOUT: "50" }),
    /warning: reporter otel failed/,
  );
  match(await run(503, { OTEL_EXPORTER_OTLP_TIMEOUT: "50" }), /warning: reporter otel failed/);
  // With OTEL_DENO, Deno exports its own telemetry at the same time.
  ok(!(await run(200, { OTEL_DENO: "true" })).includes("warning"));
});

test("warns if the packages are missing, and goes on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "no-otel-"));
  try {
    for (const part of ["runner", "runtime", "client", "protocol", "dev", "runner.ts"]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    const { imports, ...deno } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
    for (const name of Object.keys(imports)) {
      if (name.startsWith("@opentelemetry/")) delete imports[name];
    }
    await writeFile(join(folder, "deno.json"), JSON.stringify({ ...deno, imports, lock: false }));
    await cp(join(ROOT, "package.json"), join(folder, "package.json"));
    await mkdir(join(folder, "node_modules"));
    for (const name of await readdir(join(ROOT, "node_modules"))) {
      if (name === "@opentelemetry") continue;
      await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    await writeFile(join(folder, "r.yaml"), RECIPE);
    const child = new RunnerProcess([join(folder, "runner.ts"), join(folder, "r.yaml")], {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    });
    equal(await child.exit(), 0, child.output);
    match(child.output, /warning: reporter otel failed: Cannot load OpenTelemetry: install /);
    match(child.output, /1 passed/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("the message about missing packages names each of them in full", async () => {
  const { optionalDependencies } = await readJson<{
    optionalDependencies: Record<string, string>;
  }>("package.json");
  const names = Object.keys(optionalDependencies).filter((name) => name.includes("opentelemetry"));
  const { message } = new NotInstalledError(undefined);
  deepEqual(message.match(/@opentelemetry\/[a-z-]+/g)!.toSorted(), names.toSorted());
});
